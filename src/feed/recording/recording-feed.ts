// A market feed out of a file made by `record`: the same records in the same order, at any speed. Pace is its only use of a clock.
import { basename } from 'node:path';
import { type RawTick, symbolOfTick } from '../../core/market/raw-tick.ts';
import { type Source, sourceId } from '../../core/market/source.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { addMs, type Clock, type DurationMs, type EpochMs } from '../../core/market/time.ts';
import { DecodeError } from '../../protocol/decode-error.ts';
import { decodeRawTick } from '../../protocol/raw-tick-record.ts';
import {
  FeedError,
  type FeedEvent,
  type MarketFeed,
  REJECTED_PAYLOAD_MAX,
  type StartPoint,
} from '../market-feed.ts';
import { decodeRecordingHeader, type RecordingHeader } from './recording-header.ts';
import { type RecordingLine, recordingLines } from './recording-lines.ts';

export interface RecordingFeedOptions {
  readonly path: string;
  /** Market time that passes in one time of the clock: 1 as it was, 60 an hour a minute; 0: as fast as it is read. */
  readonly speed: number;
  readonly clock: Clock;
  readonly logger: { warn(text: string): void };
}

export interface RecordingFeed extends MarketFeed {
  /** What the file says of itself: its symbols are those `stream` can give. */
  readonly header: RecordingHeader;
}

/** Records in one event. */
export const TICKS_PER_EVENT_MAX = 1_000;
/** A shorter wait is not worth a timer: what is due meanwhile comes at its end. */
const WAIT_MS_MIN: DurationMs = 16;
/** Characters of a decoder's complaint that are passed on. */
const REASON_MAX = 300;

/**
 * Its stream always starts fresh, at the file's beginning, whatever `resumeFrom` says, and ends at its
 * end: whoever folds it starts without a state. What is no record is `rejected` with its line's number.
 * @throws FeedError `bad-recording` where the file is none, or a newer one.
 */
export async function recordingFeed(options: RecordingFeedOptions): Promise<RecordingFeed> {
  const { path, speed } = options;
  if (!(speed >= 0 && Number.isFinite(speed))) {
    throw new RangeError(`Expected a speed such as 1, 60 or 0 (as fast as possible), was ${speed}`);
  }
  const header = decodeRecordingHeader(await firstLine(path), path);
  const source: Source = { kind: 'recording', name: nameOf(header, path) };
  const disposed = new AbortController();
  return {
    source,
    header,
    clockOffsetMs: 0,
    stream: (starts, signal) => {
      const symbols = asked(starts, header, path);
      return replay(options, symbols, AbortSignal.any([signal, disposed.signal]));
    },
    // A file has no answers: what was repaired is in it already, and its symbols are what they are.
    ask() {},
    add() {},
    remove() {},
    [Symbol.asyncDispose]: async () => disposed.abort(),
  };
}

/** With the time it was made: two files of one name are two recordings. */
function nameOf({ source, recordedAt }: RecordingHeader, path: string): string {
  return `${sourceId(source)}/${new Date(recordedAt).toISOString()}/${basename(path)}`;
}

async function firstLine(path: string): Promise<string> {
  for await (const lines of recordingLines(path)) return lines[0]?.text ?? '';
  return '';
}

function asked(
  starts: readonly StartPoint[],
  header: RecordingHeader,
  path: string,
): ReadonlySet<MarketSymbol> {
  for (const { symbol } of starts) {
    if (header.symbols.includes(symbol)) continue;
    throw new FeedError(
      'unknown-symbol',
      `Expected one of ${header.symbols.join(', ')}, which ${path} holds, was ${symbol}: name others in --symbols`,
    );
  }
  return new Set(starts.map(({ symbol }) => symbol));
}

async function* replay(
  options: RecordingFeedOptions,
  symbols: ReadonlySet<MarketSymbol>,
  signal: AbortSignal,
): AsyncGenerator<FeedEvent, void, undefined> {
  if (signal.aborted) return;
  yield { type: 'state', state: 'live', symbols: new Map() };
  for await (const reads of dueTogether(options, symbols, signal)) {
    yield* eventsOf(reads, options.logger);
  }
}

/** What is due at one time, at most `TICKS_PER_EVENT_MAX`; waits for it. */
async function* dueTogether(
  { path, speed, clock }: RecordingFeedOptions,
  symbols: ReadonlySet<MarketSymbol>,
  signal: AbortSignal,
): AsyncGenerator<readonly ReadLine[], void, undefined> {
  const dueAt = pace(speed, clock);
  let reads: ReadLine[] = [];
  for await (const read of readLines(path, symbols)) {
    const due = dueAt(read);
    const isDue = due <= clock.now();
    if (reads.length >= TICKS_PER_EVENT_MAX || (!isDue && reads.length > 0)) {
      yield reads;
      reads = [];
    }
    if (!isDue) await clock.sleep(Math.max(due - clock.now(), WAIT_MS_MIN), signal);
    if (signal.aborted) return;
    reads.push(read);
  }
  if (reads.length > 0) yield reads;
}

/** Joins ticks in a row; what was refused stands between them as it did in the file. */
function* eventsOf(
  reads: readonly ReadLine[],
  logger: RecordingFeedOptions['logger'],
): Generator<FeedEvent> {
  let ticks: RawTick[] = [];
  for (const read of reads) {
    if (read.type === 'tick') {
      ticks.push(read.tick);
      continue;
    }
    if (ticks.length > 0) yield { type: 'ticks', ticks };
    ticks = [];
    logger.warn(read.reason);
    yield read;
  }
  if (ticks.length > 0) yield { type: 'ticks', ticks };
}

/** All but the header and the symbols nobody asked for. */
async function* readLines(
  path: string,
  symbols: ReadonlySet<MarketSymbol>,
): AsyncGenerator<ReadLine, void, undefined> {
  for await (const lines of recordingLines(path)) {
    for (const line of lines) {
      if (line.number === 1) continue;
      const read = readLine(line, path);
      if (read.type === 'rejected' || symbols.has(symbolOfTick(read.tick))) yield read;
    }
  }
}

type ReadLine =
  | { readonly type: 'tick'; readonly tick: RawTick }
  | (FeedEvent & { readonly type: 'rejected' });

function readLine({ number, text, fault }: RecordingLine, path: string): ReadLine {
  const rejected = (reason: string): ReadLine => ({
    type: 'rejected',
    reason: `Line ${number} of ${path}: ${reason}`.slice(0, REASON_MAX),
    payload: text.slice(0, REJECTED_PAYLOAD_MAX),
  });
  if (fault === 'too-long') return rejected('longer than any record');
  try {
    return { type: 'tick', tick: decodeRawTick(text) };
  } catch (error) {
    if (fault === 'torn') return rejected('the recording was cut off within it; it ends here');
    if (error instanceof DecodeError) return rejected(error.message);
    throw error;
  }
}

/**
 * When a record is due: as long after the first trade as it was, divided by `speed`. Time never goes
 * back: a record of an earlier time (a kline, another symbol's trade) is due with what came before it.
 */
function pace(speed: number, clock: Clock): (read: ReadLine) => EpochMs {
  let begun: { readonly market: EpochMs; readonly clock: EpochMs } | undefined;
  let latest = clock.now();
  return (read) => {
    const time = read.type === 'tick' ? marketTimeOf(read.tick) : undefined;
    if (speed === 0 || time === undefined) return latest;
    begun ??= { market: time, clock: clock.now() };
    const due = addMs(begun.clock, Math.floor((time - begun.market) / speed));
    if (due > latest) latest = due;
    return latest;
  };
}

/** Records that were made at their time; klines and repairs tell of the past. */
function marketTimeOf(tick: RawTick): EpochMs | undefined {
  if (tick.type === 'aggTrade') return tick.trade.tradeTime;
  return tick.type === 'watermark' ? tick.watermark.time : undefined;
}
