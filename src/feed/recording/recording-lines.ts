// The lines of a recording, plain or gzipped, in bounded memory. It knows lines, not what they say.
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import { FeedError } from '../market-feed.ts';

export interface RecordingLine {
  /** 1-based. */
  readonly number: number;
  /** Without its end; of a line too long, its beginning. */
  readonly text: string;
  /** `torn`: the file ends within it. `too-long`: it has more than `LINE_LENGTH_MAX` characters. */
  readonly fault?: 'torn' | 'too-long';
}

/** Far above the longest record, a repair part of 1,000 trades: what is longer is no record. */
export const LINE_LENGTH_MAX = 1_000_000;

export function isGzip(path: string): boolean {
  return path.endsWith('.gz');
}

/**
 * All lines in order, many at a time. A file that was cut off (its writer was killed) gives what it
 * has, its last line marked `torn`.
 * @throws FeedError `bad-recording` where the file can't be read.
 */
export async function* recordingLines(
  path: string,
): AsyncGenerator<readonly RecordingLine[], void, undefined> {
  const decoder = new TextDecoder();
  let number = 0;
  let rest = '';
  /** Within a line too long: skip to its end. */
  let isSkipping = false;
  const nextLine = (text: string): RecordingLine => {
    number += 1;
    if (text.length <= LINE_LENGTH_MAX) return { number, text };
    return { number, text: text.slice(0, LINE_LENGTH_MAX), fault: 'too-long' };
  };
  const takeLines = (text: string): RecordingLine[] => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    const isSkipped = isSkipping && parts.length > 0;
    const lines = parts.slice(isSkipped ? 1 : 0).map(nextLine);
    if (isSkipped) isSkipping = false;
    if (rest.length > LINE_LENGTH_MAX && !isSkipping) {
      lines.push(nextLine(rest));
      isSkipping = true;
    }
    if (isSkipping) rest = '';
    return lines;
  };
  try {
    for await (const chunk of bytesOf(path)) {
      const lines = takeLines(decoder.decode(chunk, { stream: true }));
      if (lines.length > 0) yield lines;
    }
  } catch (cause) {
    const fault = cause instanceof Error ? cause.message : String(cause);
    throw new FeedError('bad-recording', `Expected to read ${path}, but: ${fault}`, { cause });
  }
  const last = rest + decoder.decode();
  if (last.length > 0) yield [{ number: number + 1, text: last, fault: 'torn' }];
}

function bytesOf(path: string): AsyncIterable<Buffer> {
  const file = createReadStream(path);
  if (!isGzip(path)) return file;
  // A gzip without its end is what a killed writer leaves: what is there is read, not refused.
  const gunzip: Readable = pipeline(
    file,
    createGunzip({ finishFlush: constants.Z_SYNC_FLUSH }),
    // The error comes out of the iteration.
    () => undefined,
  );
  return gunzip;
}
