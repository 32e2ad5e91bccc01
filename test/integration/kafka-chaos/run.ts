// One seeded chaos run: two ingests, some aggregators and the broker, killed, stopped, woken and joined at random; then the judge.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/app/system-clock.ts';
import { TOPICS } from '../../../src/protocol/topics.ts';
import { seededRandom } from '../../fake-exchange/random.ts';
import { ROOT } from '../../product/product.ts';
import type { TestBroker } from '../kafka-broker.ts';
import { countCandles, expectedOf, judge, type Verdict } from './judge.ts';
import type { MarketShape } from './market.ts';

export interface ChaosOptions {
  readonly broker: TestBroker;
  readonly shape: MarketShape;
  /** Records a second of each ingest. */
  readonly perSecond: number;
  /** Something goes wrong this often, so many times; after that all must come to its end. */
  readonly faultEveryMs: number;
  readonly faultsMax: number;
  readonly deadlineMs: number;
  readonly partitions: number;
  /** Where the processes write what they say. */
  readonly logPath: string;
  readonly tell: (line: string) => void;
}

export interface ChaosResult extends Verdict {
  readonly faultsDone: Readonly<Record<string, number>>;
  readonly tookMs: number;
  readonly isWhole: boolean;
}

const AGGREGATORS = 3;
const SLEEP_MS_MAX = 9_000;
const COUNT_EVERY_MS = 2_000;

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { broker, shape, deadlineMs, tell } = options;
  const random = seededRandom(shape.seed);
  const prefix = `chaos-${shape.seed}.`;
  await broker.createTopics(TOPICS, { prefix, partitions: options.partitions });
  await using output = openOutput(options.logPath);
  await using crew = new Crew(options, prefix, output.stream);
  const startedAt = systemClock.now();
  const goal = expectedOf(shape, '1m').length;
  let isWhole = false;
  const watching = (async () => {
    while (!isWhole && systemClock.now() - startedAt < deadlineMs) {
      await systemClock.sleep(COUNT_EVERY_MS);
      // While the broker is away nothing can be counted.
      isWhole = (await countCandles(broker.servers, prefix, '1m').catch(() => 0)) >= goal;
    }
  })();
  const done: Record<string, number> = {};
  for (let count = 0; count < options.faultsMax && !isWhole; count++) {
    await systemClock.sleep(options.faultEveryMs * (0.5 + random()));
    if (isWhole) break;
    const name = await crew.fault(random);
    done[name] = (done[name] ?? 0) + 1;
    tell(`${systemClock.now() - startedAt} ms: ${name}`);
  }
  await watching;
  await crew.calm();
  await systemClock.sleep(COUNT_EVERY_MS);
  const verdict = await judge(broker.servers, prefix, shape);
  return { ...verdict, isWhole, faultsDone: done, tookMs: systemClock.now() - startedAt };
}

type Role = 'ingest' | 'aggregate';

class Crew {
  private readonly options: ChaosOptions;
  private readonly prefix: string;
  private readonly output: WriteStream;
  private readonly processes = new Map<ChildProcess, Role>();
  private readonly sleeping = new Set<Promise<void>>();

  constructor(options: ChaosOptions, prefix: string, output: WriteStream) {
    this.options = options;
    this.prefix = prefix;
    this.output = output;
    process.once('exit', () => {
      for (const child of this.processes.keys()) child.kill('SIGKILL');
    });
    for (let index = 0; index < AGGREGATORS; index++) this.start('aggregate');
    this.start('ingest');
    this.start('ingest');
  }

  /** One thing goes wrong; answers its name. */
  async fault(random: () => number): Promise<string> {
    const dice = random();
    if (dice < 0.12) return this.killBroker();
    if (dice < 0.3) return this.end('ingest', 'SIGKILL', random);
    if (dice < 0.6) return this.end('aggregate', 'SIGKILL', random);
    if (dice < 0.75) return this.end('aggregate', 'SIGTERM', random);
    if (dice < 0.9) return this.sleep(random);
    this.start('aggregate');
    return 'one more aggregate';
  }

  /** No faults any more, and all sleepers are awake. */
  async calm(): Promise<void> {
    await Promise.all(this.sleeping);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = [...this.processes.keys()].map(async (child) => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    });
    await Promise.all(ends);
  }

  private async killBroker(): Promise<string> {
    await this.options.broker.kill();
    await this.options.broker.start();
    return 'kill -9 of the broker';
  }

  private end(role: Role, signal: NodeJS.Signals, random: () => number): string {
    const child = this.pick(role, random);
    child?.kill(signal);
    // One that is asleep hears it when it wakes.
    if (child !== undefined && signal === 'SIGKILL') this.processes.delete(child);
    if (this.count(role) < (role === 'ingest' ? 2 : AGGREGATORS)) this.start(role);
    return `${signal} of ${role}`;
  }

  /** Longer than its session, at times: it wakes as one whose partitions are others'. */
  private sleep(random: () => number): string {
    const child = this.pick('aggregate', random);
    const ms = random() * SLEEP_MS_MAX;
    child?.kill('SIGSTOP');
    const sleeping: Promise<void> = systemClock.sleep(ms).then(() => {
      child?.kill('SIGCONT');
      this.sleeping.delete(sleeping);
    });
    this.sleeping.add(sleeping);
    return 'sleeping aggregate';
  }

  private pick(role: Role, random: () => number): ChildProcess | undefined {
    const own = [...this.processes].filter(([, each]) => each === role);
    return own[Math.floor(random() * own.length)]?.[0];
  }

  private count(role: Role): number {
    return [...this.processes.values()].filter((each) => each === role).length;
  }

  private start(role: Role): void {
    const { broker, shape, perSecond } = this.options;
    const [program, ...args] =
      role === 'ingest'
        ? [
            join(import.meta.dirname, 'ingest-main.ts'),
            ...[broker.servers, this.prefix, JSON.stringify(shape), String(perSecond)],
          ]
        : [
            join(ROOT, 'src/app/main.ts'),
            ...['aggregate', '--kafka', broker.servers, '--topic-prefix', this.prefix],
            ...['--consumer-group', this.prefix, '--log-level', 'warn'],
          ];
    const child = spawn(process.execPath, [program ?? '', ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.pipe(this.output, { end: false });
    child.stderr.pipe(this.output, { end: false });
    this.processes.set(child, role);
    child.once('exit', (code, signal) => {
      const isOurDoing = !this.processes.delete(child);
      this.output.write(`${role} ${child.pid} ended: ${code ?? signal}\n`);
      if (!isOurDoing && signal === null && code !== 0)
        this.options.tell(`${role} ended by itself: ${code}`);
    });
  }
}

function openOutput(path: string): AsyncDisposable & { readonly stream: WriteStream } {
  const stream = createWriteStream(path, { flags: 'a' });
  stream.setMaxListeners(0);
  return {
    stream,
    async [Symbol.asyncDispose]() {
      const finished = once(stream, 'finish');
      stream.end();
      await finished;
    },
  };
}
