// A market feed that needs no network: a seeded market in real time, with a past. Never mixes with a real one: its source says that it is simulated.
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { RepairRequest } from '../../core/market/evidence.ts';
import { type RawTick, timeOfTick } from '../../core/market/raw-tick.ts';
import type { Source } from '../../core/market/source.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import {
  addMs,
  type Clock,
  type DurationMs,
  type EpochMs,
  MINUTE_MS,
  minuteOf,
} from '../../core/market/time.ts';
import { FeedError, type FeedEvent, type MarketFeed, REPAIRS_ASKED_MAX } from '../market-feed.ts';
import { listingOf } from './listing.ts';
import { closedMinute, repairAnswers } from './repair-answers.ts';
import { type SimulatedSymbol, simulatedSymbol } from './simulated-symbol.ts';
import { historyFrom, symbolHistory } from './symbol-history.ts';
import { type DueTick, liveTicks, startTicks } from './symbol-ticks.ts';

export interface SimulatedFeedOptions {
  /** The symbols this market lists; any name will do. */
  readonly symbols: readonly MarketSymbol[];
  /** Whole number: the market's identity. The same seed is the same market, on any machine of one release. */
  readonly seed: number;
  readonly clock: Clock;
  /** Mean of aggregate trades per symbol; undefined: each symbol's own. Changes the trades, not the prices at minutes' starts. */
  readonly tradesPerSecond?: number | undefined;
  /** Days of history handed out; the open month is whole in any case. */
  readonly historyDays?: number | undefined;
  readonly logger: { info(text: string): void };
}

/** 1,000 hours, and a little more. */
export const HISTORY_DAYS = 42;
/** Trades are handed on this often: below what an eye sees. */
const BATCH_MS: DurationMs = 16;
/** A symbol that was away longer is not caught up trade by trade: it starts again, its minutes come as klines as far as they are handed out. */
export const CATCH_UP_MS_MAX: DurationMs = 15 * MINUTE_MS;
/** Records in one event. */
export const TICKS_PER_EVENT_MAX = 1_000;

interface LiveSymbol {
  readonly symbol: SimulatedSymbol;
  readonly ticks: Iterator<DueTick, never, undefined>;
  next: DueTick;
  /** Open time of the minute it has come to: those before are over. */
  openMinute: EpochMs;
}

/**
 * Everything it says is a pure function of seed, symbol, rate and time: a restart goes on with the
 * very trades and candles that would have come. Symbols join one after the other, live ones go on
 * meanwhile.
 * @throws RangeError where the seed is no whole number or the rate is out of its limits.
 */
export function simulatedFeed(options: SimulatedFeedOptions): MarketFeed {
  const { seed, clock, tradesPerSecond, historyDays = HISTORY_DAYS, logger } = options;
  if (!Number.isSafeInteger(seed)) throw new RangeError(`Expected a whole seed, was ${seed}`);
  const source: Source = {
    kind: 'simulated',
    seed,
    ...(tradesPerSecond === undefined ? {} : { tradesPerSecond }),
  };
  const symbols = new Map(
    options.symbols.map((name) => [name, listingOf(name, seed, tradesPerSecond)]),
  );
  const disposed = new AbortController();
  let running: Market | undefined;
  const asked: RepairRequest[] = [];

  const symbolFor = (name: MarketSymbol): SimulatedSymbol => {
    const listing = symbols.get(name);
    if (listing === undefined) {
      throw new FeedError(
        'unknown-symbol',
        `Expected one of ${[...symbols.keys()].join(', ')}, was ${name}: name it in --symbols`,
      );
    }
    const symbol = simulatedSymbol(listing);
    const first = historyFrom(symbol, minuteOf(clock.now()), historyDays);
    if (first > listing.listedOn) return symbol;
    throw new FeedError(
      'unknown-symbol',
      `Expected a time after ${new Date(listing.listedOn).toISOString()}, when ${name} was listed, and ${historyDays} days more, was ${new Date(clock.now()).toISOString()}: mend the clock`,
    );
  };

  return {
    source,
    clockOffsetMs: 0,
    stream: (starts, signal) => {
      const joining = starts.map(({ symbol, resumeFrom }) => ({
        symbol: symbolFor(symbol),
        resumeFrom,
      }));
      logger.info(
        `Simulated market, seed ${seed}: ${joining.length} symbols, ${historyDays} days of history`,
      );
      const ends = AbortSignal.any([signal, disposed.signal]);
      running = { waiting: joining, live: [], news: [] };
      return runMarket(running, asked, clock, historyDays, ends);
    },
    ask(request) {
      if (asked.length < REPAIRS_ASKED_MAX) asked.push(request);
    },
    add: (start) => {
      if (running === undefined || isThere(running, start.symbol)) return;
      if (!symbols.has(start.symbol)) {
        symbols.set(start.symbol, listingOf(start.symbol, seed, tradesPerSecond));
      }
      try {
        running.waiting.push({ ...start, symbol: symbolFor(start.symbol) });
        running.news.push(stateEvent(running.waiting));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        running.news.push({ type: 'rejected', reason, payload: start.symbol });
      }
    },
    remove: (name) => {
      if (running === undefined || !isThere(running, name)) return;
      running.waiting = running.waiting.filter((entry) => nameOf(entry) !== name);
      running.live = running.live.filter((entry) => nameOf(entry) !== name);
      running.news.push(stateEvent(running.waiting));
    },
    [Symbol.asyncDispose]: async () => disposed.abort(),
  };
}

interface Joining {
  readonly symbol: SimulatedSymbol;
  readonly resumeFrom: EpochMs | undefined;
}

/** Who joins and who is live, by now: symbols come and go. */
interface Market {
  waiting: Joining[];
  live: LiveSymbol[];
  /** What came of that, to be told. */
  readonly news: FeedEvent[];
}

function nameOf({ symbol }: Joining | LiveSymbol): MarketSymbol {
  return symbol.listing.symbol;
}

function isThere({ waiting, live }: Market, name: MarketSymbol): boolean {
  return [...waiting, ...live].some((entry) => nameOf(entry) === name);
}

async function* runMarket(
  market: Market,
  asked: RepairRequest[],
  clock: Clock,
  historyDays: number,
  signal: AbortSignal,
): AsyncGenerator<FeedEvent, void, undefined> {
  const joining = joinWaiting(market, clock, historyDays);
  yield stateEvent(market.waiting);
  while (!signal.aborted) {
    yield* market.news.splice(0);
    const joined = joining.next().value;
    if (joined !== undefined) yield joined;
    for (const event of dueEvents(market.live, clock.now())) {
      yield event;
      if (signal.aborted) return;
    }
    yield* answer(asked.shift(), market.live);
    if (sendBack(market, clock.now())) yield stateEvent(market.waiting);
    await (market.waiting.length > 0 ? othersTurn() : clock.sleep(BATCH_MS, signal));
  }
}

/** One request a turn, so that trades go on meanwhile. Of a symbol that is not live it is passed over: whoever asks, asks again. */
function* answer(
  request: RepairRequest | undefined,
  live: readonly LiveSymbol[],
): Generator<FeedEvent, void, undefined> {
  if (request === undefined) return;
  const name = request.type === 'rounding' ? request.candle.symbol : request.symbol;
  const entry = live.find(({ symbol }) => symbol.listing.symbol === name);
  if (entry !== undefined) yield* repairAnswers(entry.symbol, request, entry.openMinute);
}

/** Moves symbols from `waiting` to `live`, slice by slice and without end; undefined: no event, but time for others. */
function* joinWaiting(
  market: Market,
  clock: Clock,
  historyDays: number,
): Generator<FeedEvent | undefined, never, undefined> {
  for (;;) {
    const first = market.waiting[0];
    if (first === undefined) {
      yield;
      continue;
    }
    const joining = join(first, clock, historyDays);
    // Removed while it joins: the rest of its start is left out.
    for (let step = joining.next(); market.waiting[0] === first; step = joining.next()) {
      if (step.done !== true) {
        yield step.value;
        continue;
      }
      market.live.push(step.value);
      market.waiting.shift();
      yield stateEvent(market.waiting);
    }
  }
}

/** Moves what was away from `live` to `waiting`; true where something was. */
function sendBack({ live, waiting }: Market, now: EpochMs): boolean {
  const away = live.filter((entry) => isAway(entry, now));
  for (const entry of away) {
    live.splice(live.indexOf(entry), 1);
    waiting.push({ symbol: entry.symbol, resumeFrom: entry.openMinute });
  }
  return away.length > 0;
}

/** The clock jumped, a laptop slept: what is due came too long ago. */
function isAway(entry: LiveSymbol, now: EpochMs): boolean {
  return now - entry.next.due > CATCH_UP_MS_MAX;
}

function stateEvent(waiting: readonly Joining[]): FeedEvent {
  return {
    type: 'state',
    state: waiting.length === 0 ? 'live' : 'catching-up',
    symbols: new Map(waiting.map(({ symbol }) => [symbol.listing.symbol, 'catching-up'])),
  };
}

/** One symbol's way in: start, klines, then its past for the store. Yields undefined to let others run; returns it, live. */
function* join(
  { symbol, resumeFrom }: Joining,
  clock: Clock,
  historyDays: number,
): Generator<FeedEvent | undefined, LiveSymbol, undefined> {
  const now = clock.now();
  const isSoon =
    resumeFrom !== undefined && resumeFrom <= now && now - resumeFrom <= CATCH_UP_MS_MAX;
  const from = minuteOf(isSoon ? resumeFrom : now);
  const history = yield* symbolHistory(symbol, from, historyDays);
  for (const ticks of inParts(startTicks(symbol, from, history, resumeFrom)))
    yield { type: 'ticks', ticks };
  const ticks = liveTicks(symbol, from);
  const entry: LiveSymbol = { symbol, ticks, next: ticks.next().value, openMinute: from };
  yield* dueEvents([entry], clock.now());
  for (const candles of history.values()) {
    if (candles.length > 0) yield { type: 'history', candles };
  }
  return entry;
}

/** Takes from each symbol what is due at `now`. A symbol's order is its own; symbols follow each other. */
function* dueEvents(live: readonly LiveSymbol[], now: EpochMs): Generator<FeedEvent> {
  let ticks: RawTick[] = [];
  const closed: FeedEvent[] = [];
  for (const entry of live) {
    if (isAway(entry, now)) continue;
    while (entry.next.due <= now) {
      const { tick } = entry.next;
      ticks.push(tick);
      if (tick.type === 'watermark') {
        const openTime = addMs(tick.watermark.time, -MINUTE_MS);
        closed.push(closedMinute(entry.symbol, openTime, 'stream'));
      }
      entry.openMinute = minuteAfter(tick, entry.openMinute);
      entry.next = entry.ticks.next().value;
      if (ticks.length < TICKS_PER_EVENT_MAX) continue;
      yield { type: 'ticks', ticks };
      ticks = [];
    }
  }
  if (ticks.length > 0) yield { type: 'ticks', ticks };
  yield* closed;
}

function* inParts(ticks: readonly RawTick[]): Generator<readonly RawTick[]> {
  for (let start = 0; start < ticks.length; start += TICKS_PER_EVENT_MAX) {
    yield ticks.slice(start, start + TICKS_PER_EVENT_MAX);
  }
}

/** Also a watermark that comes behind the first trade of the next minute takes nothing back. */
function minuteAfter(tick: RawTick, openMinute: EpochMs): EpochMs {
  return Math.max(openMinute, minuteOf(timeOfTick(tick))) as EpochMs;
}
