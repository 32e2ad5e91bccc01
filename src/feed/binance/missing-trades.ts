// Fetches one symbol's missing trades by id until none is missing, and decides when a hole is passed over, and which of the held trades
// is none. One at a time; it asks REST and believes it, but for what REST may only lag behind with.
import type { AggTrade } from '../../core/market/agg-trade.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock, DurationMs, EpochMs } from '../../core/market/time.ts';
import { encodeAggTrade } from '../../protocol/agg-trade-record.ts';
import { waitOut } from './patience.ts';
import type { Rest, TradePage } from './rest.ts';
import type { Sequencer } from './sequencer.ts';

/** A hole without any progress for so long is passed over: the stream goes on, its candles are not complete. */
export const HOLE_WAIT_MS: DurationMs = 60_000;
const HOLE_RETRY_MS_MIN: DurationMs = 50;
const HOLE_RETRY_MS_MAX: DurationMs = 1_000;
/** Trades of lower ids that are later by so much show that a trade far ahead is none. */
export const LATER_MS: DurationMs = 1_000;
/** More trades than this that were missed are not fetched: klines close their minutes. 20 pages, a 75th of a minute's weight. */
export const RESUME_TRADES_MAX = 20_000;

export interface MissingTrades {
  /** REST may have trades that will not come live. */
  expectMore(): void;
  /** `expectMore` was said, and REST's end not reached since. */
  isExpecting(): boolean;
  isMissing(): boolean;
  /** How many holes were passed over. */
  passedHoles(): number;
  /** No further trade can be held: the hole is passed over at once. */
  full(): void;
  /** Until nothing is missing before what came live and REST has no more. `too-many`: more than `RESUME_TRADES_MAX` are. */
  fetch(): Promise<'done' | 'too-many'>;
}

export interface MissingTradesOptions {
  readonly symbol: MarketSymbol;
  readonly rest: Rest;
  readonly clock: Clock;
  readonly sequencer: Sequencer;
  /** Default `HOLE_WAIT_MS`. */
  readonly holeWaitMs?: DurationMs | undefined;
  /** Default `RESUME_TRADES_MAX`. */
  readonly resumeTradesMax?: number | undefined;
  /** Waits until what is fetched can be taken. */
  readonly room: () => Promise<void>;
  /** Where the series has not begun: the time its first trade is looked for from. */
  readonly beginTime: () => EpochMs;
  readonly take: (page: TradePage) => void;
  /** The series goes on at `id`. */
  readonly begin: (id: number) => void;
  /** The series begins at `id`: REST has nothing before it. */
  readonly beginSeries: (id: number) => void;
  readonly reject: (reason: string, payload: string) => void;
  readonly signal: AbortSignal;
}

export function createMissingTrades(options: MissingTradesOptions): MissingTrades {
  const { symbol, rest, clock, sequencer, room, take, begin, reject, signal } = options;
  let mustReachEnd = false;
  let passedHoles = 0;
  let patience = beginPatience();
  /** The id that is waited for; undefined: for none. A question that REST refuses ends `fetch`, not the waiting. */
  let awaited: { readonly id: number | undefined } | undefined;

  function beginPatience() {
    const over = new AbortController();
    return { over, end: AbortSignal.any([over.signal, signal]) };
  }

  /** Aborts `over` when the hole has been without progress for too long. */
  function startPatience(): void {
    patience.over.abort();
    patience = beginPatience();
    awaited = { id: sequencer.next() };
    const { over, end } = patience;
    const wait = waitOut(clock, options.holeWaitMs ?? HOLE_WAIT_MS, end);
    // Never rejects: a wait cut short aborts what is over already.
    void wait.then(() => over.abort());
  }

  function isMissing(): boolean {
    const isBegun = sequencer.next() !== undefined;
    return (
      mustReachEnd || sequencer.missing() !== undefined || (!isBegun && sequencer.heldCount() > 0)
    );
  }

  /** Undefined where patience ended first. */
  async function ask(): Promise<TradePage | undefined> {
    const fromId = sequencer.next();
    // A symbol that had never traded: its series begins with what REST has by now.
    const range = fromId === undefined ? { startTime: options.beginTime() } : { fromId };
    const { end, over } = patience;
    try {
      const page = await rest.aggTrades(symbol, range, { priority: 'urgent', signal: end });
      const first = page.trades[0];
      if (sequencer.next() === undefined && first !== undefined) {
        options.beginSeries(first.aggTradeId);
      }
      return page;
    } catch (error) {
      if (over.signal.aborted && !signal.aborted) return undefined;
      throw error;
    }
  }

  async function isTooMany(): Promise<boolean> {
    const asking = { priority: 'urgent', signal } as const;
    const latest = (await rest.aggTrades(symbol, { limit: 1 }, asking)).trades.at(-1);
    const next = sequencer.next();
    if (latest === undefined || next === undefined) return false;
    return latest.aggTradeId - next > (options.resumeTradesMax ?? RESUME_TRADES_MAX);
  }

  /** Held trades far ahead that later trades of lower ids belie. */
  function refuseBelied(page: TradePage | undefined): void {
    const newest = page?.trades.at(-1);
    const seen = Math.max(newest?.tradeTime ?? 0, sequencer.lastTime());
    const known = Math.max(newest?.aggTradeId ?? -1, (sequencer.next() ?? 0) - 1);
    for (;;) {
      const trade = sequencer.held(sequencer.lowestHeld() ?? -1);
      if (trade === undefined || trade.aggTradeId <= known) return;
      if (trade.tradeTime + LATER_MS >= seen) return;
      refuse(trade, `trades of lower ids are later, the last is ${known}`);
    }
  }

  function refuse(trade: AggTrade, why: string): void {
    sequencer.forget(trade.aggTradeId);
    reject(
      `Expected a trade of ${symbol}, was one that the exchange does not know: ${why}`,
      encodeAggTrade(trade),
    );
  }

  /** The hole has lasted too long. `isAnswered`: REST does answer, and has not got it. */
  function passOver(isAnswered: boolean): void {
    const trade = sequencer.held(sequencer.lowestHeld() ?? -1);
    if (trade === undefined) return;
    const { aggTradeId } = trade;
    // One trade alone may be none: its successor vouches for it, or that it is its turn.
    const isTurn = aggTradeId === sequencer.next();
    if (isTurn || sequencer.held(aggTradeId + 1) !== undefined) passHole(aggTradeId, isAnswered);
    else if (isAnswered) refuse(trade, 'it was asked for often, and no other trade followed it');
  }

  /** The stream goes on at `id`, and whoever folds it sees the hole by the ids. */
  function passHole(id: number, isAnswered: boolean): void {
    const next = sequencer.next();
    mustReachEnd = false;
    if (next === undefined && isAnswered) {
      options.beginSeries(id);
      return;
    }
    if (id > (next ?? id)) {
      passedHoles += 1;
      const which = `Expected trades ${next} to ${id - 1} of ${symbol}: the exchange`;
      reject(`${which} ${isAnswered ? 'has not got them' : 'does not answer'}`, '');
    }
    begin(id);
  }

  /** A reader that is behind is no hole. */
  async function roomFirst(): Promise<void> {
    const { over } = patience;
    await room();
    signal.throwIfAborted();
    if (over.signal.aborted) startPatience();
  }

  async function fetchPage(): Promise<Step['outcome']> {
    const page = await ask();
    if (page !== undefined) take(page);
    refuseBelied(page);
    if (page === undefined) return 'silent';
    if (!page.isFull) mustReachEnd = false;
    else if (await isTooMany()) return 'too-many';
    return 'taken';
  }

  /** One question, and a pause where it brought nothing. */
  async function step(triesBefore: number): Promise<Step> {
    const from = sequencer.next();
    await roomFirst();
    const outcome = await fetchPage();
    signal.throwIfAborted();
    const tries = sequencer.next() === from ? triesBefore + 1 : 0;
    if (tries === 0) startPatience();
    else if (isMissing()) await clock.sleep(holeRetryMs(tries), patience.end);
    signal.throwIfAborted();
    return { outcome, tries };
  }

  return {
    expectMore() {
      mustReachEnd = true;
    },
    isExpecting: () => mustReachEnd,
    isMissing,
    passedHoles: () => passedHoles,
    full: () => patience.over.abort(),
    async fetch() {
      if (awaited === undefined || awaited.id !== sequencer.next()) startPatience();
      let last: Step = { outcome: 'silent', tries: 0 };
      while (isMissing() && last.outcome !== 'too-many') {
        if (patience.over.signal.aborted) {
          passOver(last.outcome === 'taken');
          startPatience();
        } else {
          last = await step(last.tries);
        }
      }
      awaited = undefined;
      patience.over.abort();
      return last.outcome === 'too-many' ? 'too-many' : 'done';
    },
  };
}

/** How the last question went, and how many in a row brought nothing. */
interface Step {
  readonly outcome: 'taken' | 'silent' | 'too-many';
  readonly tries: number;
}

function holeRetryMs(tries: number): DurationMs {
  return Math.min(HOLE_RETRY_MS_MIN * 2 ** Math.min(tries - 1, 8), HOLE_RETRY_MS_MAX);
}
