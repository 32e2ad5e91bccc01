// Writes raw_ticks to a file, one record a line behind a header. Never over a file that is there.
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { constants, createGzip, type Gzip } from 'node:zlib';
import type { RawTick } from '../../core/market/raw-tick.ts';
import type { Source } from '../../core/market/source.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock, DurationMs } from '../../core/market/time.ts';
import { encodeRawTick } from '../../protocol/raw-tick-record.ts';
import { FeedError } from '../market-feed.ts';
import { encodeRecordingHeader } from './recording-header.ts';
import { isGzip } from './recording-lines.ts';

export interface RecordingWriter extends AsyncDisposable {
  /**
   * Appends in the order of the calls; resolves when the system has them (gzipped: within
   * `GZIP_FLUSH_MS` of the next write). Await it before the next: that is the back-pressure.
   * @throws Error naming the file where it can't be written.
   */
  write(ticks: readonly RawTick[]): Promise<void>;
}

export interface RecordingWriterOptions {
  /** Gzipped where it ends in `.gz`. */
  readonly path: string;
  readonly source: Source;
  readonly symbols: readonly MarketSymbol[];
  readonly clock: Clock;
}

/** What a killed process loses of a gzipped recording, at most; shorter compresses worse. */
export const GZIP_FLUSH_MS: DurationMs = 1_000;

/** @throws FeedError `bad-recording` where `path` exists or can't be made. */
export async function openRecordingWriter(
  options: RecordingWriterOptions,
): Promise<RecordingWriter> {
  const { path, source, symbols, clock } = options;
  const file = (await created(path)).createWriteStream();
  const gzip = isGzip(path) ? createGzip() : undefined;
  const sink: Writable = gzip ?? file;
  const ended = gzip === undefined ? finished(file) : pipeline(gzip, file);
  // Known to whoever writes or closes next: nobody waits for it meanwhile.
  ended.catch(() => undefined);
  const header = encodeRecordingHeader({ source, symbols, recordedAt: clock.now() });
  let flushedAt = clock.now();
  let turn: Promise<void> = writeText(sink, `${header}\n`);
  let closed: Promise<void> | undefined;

  const failed = (cause: unknown): Error => {
    const fault = cause instanceof Error ? cause.message : String(cause);
    return new Error(`Expected to write to ${path}, but: ${fault}`, { cause });
  };
  const append = async (ticks: readonly RawTick[]): Promise<void> => {
    await writeText(sink, ticks.map((tick) => `${encodeRawTick(tick)}\n`).join(''));
    if (gzip === undefined || clock.now() - flushedAt < GZIP_FLUSH_MS) return;
    flushedAt = clock.now();
    await flush(gzip);
  };

  return {
    write: (ticks) => {
      if (closed !== undefined) return Promise.reject(failed('the recording is closed'));
      turn = turn
        .then(() => append(ticks))
        .catch((cause: unknown) => {
          throw failed(cause);
        });
      return turn;
    },
    [Symbol.asyncDispose]: () => {
      closed ??= turn
        // Whoever wrote has been told; closing goes on.
        .catch(() => undefined)
        .then(() => {
          sink.end();
          return ended;
        })
        .catch((cause: unknown) => {
          throw failed(cause);
        });
      return closed;
    },
  };
}

async function created(path: string): ReturnType<typeof open> {
  try {
    return await open(path, 'wx');
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    const fault = cause instanceof Error ? cause.message : String(cause);
    throw new FeedError(
      'bad-recording',
      isThere
        ? `Expected a new file to record to, but ${path} exists: give another name, or delete it`
        : `Expected to record to ${path}, but: ${fault}`,
      { cause },
    );
  }
}

function writeText(sink: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

function flush(gzip: Gzip): Promise<void> {
  return new Promise((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve));
}
