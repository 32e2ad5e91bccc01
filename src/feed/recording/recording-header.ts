// The first line of a recording: that it is one, of what, and since when. A file that does not say so is refused.
import { z } from 'zod';
import type { Source } from '../../core/market/source.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { EpochMs } from '../../core/market/time.ts';
import { symbolField, timeField } from '../../protocol/candle-record.ts';
import { sourceSchema } from '../../protocol/feed-status-record.ts';
import { FeedError } from '../market-feed.ts';

export interface RecordingHeader {
  /** What was recorded. */
  readonly source: Source;
  readonly symbols: readonly MarketSymbol[];
  /** When it was begun, by the recorder's clock. */
  readonly recordedAt: EpochMs;
}

/** Raised when a reader of the version before could not read the file. */
export const RECORDING_VERSION = 1;
/** Characters of a wrong first line that an error quotes. */
const QUOTED_MAX = 80;

const markSchema = z.object({
  wickstream: z.literal('recording'),
  version: z.number().int().min(1),
});
const headerSchema = z.object({
  source: sourceSchema,
  symbols: z.array(symbolField),
  recordedAt: timeField,
});

/** One line, without its end. */
export function encodeRecordingHeader({ source, symbols, recordedAt }: RecordingHeader): string {
  const mark = { wickstream: 'recording', version: RECORDING_VERSION };
  return JSON.stringify({ ...mark, source, symbols, recordedAt });
}

/** @throws FeedError `bad-recording`, naming `path` and what was found there. */
export function decodeRecordingHeader(line: string, path: string): RecordingHeader {
  const found = `was ${JSON.stringify(line.slice(0, QUOTED_MAX))}`;
  const value = parsed(line);
  const mark = markSchema.safeParse(value);
  if (!mark.success) {
    throw new FeedError(
      'bad-recording',
      `Expected ${path} to be a recording, made by "wickstream record", but its first line ${found}`,
    );
  }
  if (mark.data.version > RECORDING_VERSION) {
    throw new FeedError(
      'bad-recording',
      `Expected a recording of version ${RECORDING_VERSION}, but ${path} is of version ${mark.data.version}: read it with a newer Wickstream`,
    );
  }
  const header = headerSchema.safeParse(value);
  if (header.success) return header.data;
  const issue = header.error.issues[0];
  throw new FeedError(
    'bad-recording',
    `Expected ${path} to start with a recording's header (${issue?.path.join('.')}: ${issue?.message}), ${found}`,
  );
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // No JSON is no header: the schema says so.
    return undefined;
  }
}
