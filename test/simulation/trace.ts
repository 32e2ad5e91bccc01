// What happened in a run, line by line, and one hash of all of it: two runs of a seed must have the same. Lines are kept only on request.
import { createHash } from 'node:crypto';

export interface Trace {
  add(time: number, what: string): void;
  /** Of everything so far. */
  digest(): string;
  readonly lines: readonly string[];
}

/** Lines kept; the oldest go. */
const LINES_MAX = 2_000_000;

/** The hash takes so many characters at a time. */
const CHUNK_LENGTH = 64 * 1024;

export function createTrace(isKept: boolean): Trace {
  const sha = createHash('sha256');
  const lines: string[] = [];
  let chunk = '';
  return {
    add(time, what) {
      chunk += `${time} ${what}\n`;
      if (chunk.length > CHUNK_LENGTH) {
        sha.update(chunk);
        chunk = '';
      }
      if (!isKept) return;
      lines.push(`${new Date(time).toISOString()} ${what}`);
      if (lines.length > LINES_MAX) lines.splice(0, LINES_MAX / 2);
    },
    digest: () => sha.copy().update(chunk).digest('hex'),
    lines,
  };
}
