// One Kafka broker (KRaft, no replica) for tests and development, without Docker: Java 17 and the jars of pom.xml beside this.
// Loopback only, its own folder, a bounded heap. Not for production: compose.yaml shows that.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { root, SetupError, say } from '../project.mjs';

export const LIBRARY_DIR = join(root, '.cache/kafka/libs');
const POM = join(root, 'scripts/kafka/pom.xml');
/** A short life: compiling for a long one costs a third more than it saves. */
const HEAP = ['-Xms256m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
/** A busy machine, and after a kill -9 the logs are checked first. */
const START_DEADLINE_MS = 180_000;
const START_CHECK_MS = 100;
/** A broker that was told to end writes its logs first; then it is killed. */
const STOP_DEADLINE_MS = 15_000;

/** Why no broker can be started here; undefined where one can. */
export async function missingForKafka() {
  if ((await run('java', ['-version'])) !== 0) return 'Java 17 or newer is not installed';
  if (!existsSync(LIBRARY_DIR)) return 'the broker is not fetched: run `npm run kafka -- fetch`';
  return undefined;
}

/** Fetches the broker's jars once, with Maven. */
export async function fetchBroker() {
  if (existsSync(LIBRARY_DIR)) return;
  if ((await run('mvn', ['-v'])) !== 0) {
    throw new SetupError(
      'Maven fetches the Kafka broker and is not installed (Debian: apt-get install maven).',
    );
  }
  say('Fetching the Kafka broker from Maven Central (43 MB, once) …');
  const target = `${LIBRARY_DIR}.${process.pid}`;
  mkdirSync(join(LIBRARY_DIR, '..'), { recursive: true });
  const code = await run(
    'mvn',
    ['-q', '-B', '-f', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${target}`],
    ['ignore', 2, 2],
  );
  if (code !== 0) {
    rmSync(target, { recursive: true, force: true });
    throw new SetupError('Maven could not fetch the Kafka broker; its reason is above.');
  }
  // Whole or not at all: another process may fetch at the same time.
  if (existsSync(LIBRARY_DIR)) rmSync(target, { recursive: true, force: true });
  else renameSync(target, LIBRARY_DIR);
}

/**
 * Starts a broker whose logs lie in `dir` (made and formatted where it is not there). Resolves once it answers:
 * `servers` is what clients connect to, `stop` ends it, `kill` is kill -9, `start` brings it back on the same port.
 * With `security`, `secureServers` speaks TLS and wants a login.
 */
export async function startBroker({ dir, port = 0, settings = {}, security }) {
  const ports = port === 0 ? await freePorts(3) : [port, port + 1, port + 2];
  const [client, controller, secure] = ports;
  const configPath = join(dir, 'server.properties');
  mkdirSync(dir, { recursive: true });
  const more = security === undefined ? {} : secureListener(secure, security);
  writeFileSync(configPath, properties({ client, controller, dir, settings, ...more }));
  if (!existsSync(join(dir, 'data'))) await formatStorage(configPath, security);
  let child;
  const start = async () => {
    // Its own process group: a Ctrl-C in the terminal ends it through whoever started it, in order.
    const log = openSync(join(dir, 'broker.log'), 'a');
    child = spawn('java', [...javaArguments(), ...HEAP, 'kafka.Kafka', configPath], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    child.unref();
    await untilListening(child, client, join(dir, 'broker.log'));
  };
  const end = async (signal) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await exited;
    clearTimeout(deadline);
  };
  // Whoever started it and ends by an error leaves none behind.
  process.once('exit', () => child?.kill('SIGKILL'));
  await start();
  return {
    servers: `127.0.0.1:${client}`,
    secureServers: security === undefined ? undefined : `127.0.0.1:${secure}`,
    get pid() {
      return child.pid;
    },
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    signal: (name) => child.kill(name),
  };
}

function javaArguments() {
  return ['-cp', join(LIBRARY_DIR, '*'), '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
}

/** Settings of a broker alone: without the replication factors of one, groups and transactions never begin. */
function properties({ client, controller, dir, settings, listener = '', secured = {} }) {
  const all = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${client},CONTROLLER://127.0.0.1:${controller}${listener}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${client}${listener}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(dir, 'data'),
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // After a kill -9 a broker is taken back only once its old session is over.
    'broker.session.timeout.ms': 6_000,
    'broker.heartbeat.interval.ms': 500,
    'num.partitions': 4,
    'auto.create.topics.enable': false,
    // Replayed trades carry old times.
    'log.retention.ms': -1,
    ...secured,
    ...settings,
  };
  return `${Object.entries(all)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`;
}

/** A third listener beside the two of every broker: TLS by a key of its own, and one user with a password. */
function secureListener(port, { keystore, keystorePassword, username, password }) {
  const name = 'listener.name.sasl_ssl';
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  return {
    listener: `,SASL_SSL://127.0.0.1:${port}`,
    secured: {
      'ssl.keystore.location': keystore,
      'ssl.keystore.password': keystorePassword,
      'ssl.keystore.type': 'PKCS12',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      [`${name}.plain.sasl.jaas.config`]: `${plain} required user_${username}="${password}";`,
      [`${name}.scram-sha-256.sasl.jaas.config`]: `${scram} required;`,
      [`${name}.scram-sha-512.sasl.jaas.config`]: `${scram} required;`,
    },
  };
}

async function formatStorage(configPath, security) {
  const users = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) =>
    security === undefined
      ? []
      : ['--add-scram', `${mechanism}=[name=${security.username},password=${security.password}]`],
  );
  const id = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
  const code = await run('java', [
    ...javaArguments(),
    'kafka.tools.StorageTool',
    ...['format', '-t', id, '-c', configPath, ...users],
  ]);
  if (code !== 0) throw new SetupError(`The broker's folder could not be formatted: ${configPath}`);
}

async function untilListening(child, port, logPath) {
  for (const startedAtMs = Date.now(); Date.now() - startedAtMs < START_DEADLINE_MS; ) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    if (await canConnect(port)) return;
    await new Promise((resolve) => setTimeout(resolve, START_CHECK_MS));
  }
  child.kill('SIGKILL');
  const lines = readFileSync(logPath, 'utf8').trim().split('\n').slice(-10);
  throw new SetupError(`The Kafka broker did not start:\n${lines.join('\n')}`);
}

function canConnect(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Ports the system says are free; all held until all are known, so that none comes twice. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = [];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push(server.address().port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function run(command, args, stdio = 'ignore') {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio });
    child.once('error', () => resolve(-1));
    child.once('exit', (code) => resolve(code ?? -1));
  });
}
