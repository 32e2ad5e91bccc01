// Answers what the audit asks of closed minutes: klines, all trades again, the exchange's digits. It judges no candle, and passes over
// only what is beyond its limits and what REST refuses for now: whoever asks, asks again.
import { type Evidence, KLINES_ASKED_MAX, type RepairRequest } from '../../core/market/evidence.ts';
import { type RawTick, REPAIR_PART_TRADES_MAX } from '../../core/market/raw-tick.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import {
  addMs,
  type Clock,
  type DurationMs,
  type EpochMs,
  MINUTE_MS,
} from '../../core/market/time.ts';
import { FeedError, type FeedEvent, REPAIRS_ASKED_MAX } from '../market-feed.ts';
import { fetchMinuteTrades, type MinuteTrades } from './minute-trades.ts';
import { isFinal, type Rest } from './rest.ts';

/** Requests under way at once: one that waits for a lagging REST does not keep the others. */
export const REPAIRS_AT_ONCE_MAX = 4;
/** Between two tries of one request. */
export const REPAIR_RETRY_MS: DurationMs = 5_000;
/** REST lags: a minute is asked for so often (about a minute), then given up until it is asked for again. */
export const REPAIR_TRIES_MAX = 12;
/** Trades that the exchange itself has not got are asked for so often: they may still come. */
export const MISSING_TRIES_MAX = 3;
/** A minute without a kline, and without a later one, does not exist when it has been over for so long by the exchange's clock. */
export const ABSENT_AFTER_MS: DurationMs = 60_000;

export interface RepairAnswers {
  /** Beyond `REPAIRS_ASKED_MAX` waiting requests, and of a symbol not ours, it is passed over; asked twice, answered once. */
  ask(request: RepairRequest): void;
  /** Resolves when nothing is under way. Never rejects. */
  done(): Promise<void>;
}

export interface RepairAnswersOptions {
  readonly rest: Rest;
  readonly clock: Clock;
  readonly isOurs: (symbol: MarketSymbol) => boolean;
  readonly emit: (tick: RawTick) => void;
  readonly push: (event: FeedEvent) => void;
  /** Waits while the reader is behind. */
  readonly room: () => Promise<void>;
  readonly signal: AbortSignal;
}

type KlinesAsked = RepairRequest & { readonly type: 'klines' };
type TradesAsked = RepairRequest & { readonly type: 'trades' };

export function createRepairAnswers(options: RepairAnswersOptions): RepairAnswers {
  const { rest, clock, isOurs, emit, push, room, signal } = options;
  const asking = { priority: 'repair', signal } as const;
  /** What is asked for, waiting or under way. */
  const asked = new Set<string>();
  const waiting: (KlinesAsked | TradesAsked)[] = [];
  const underWay = new Set<Promise<void>>();

  function tell(evidence: Evidence): void {
    push({ type: 'evidence', evidence });
  }

  function begin(): void {
    while (underWay.size < REPAIRS_AT_ONCE_MAX && !signal.aborted) {
      const request = waiting.shift();
      if (request === undefined) return;
      const answering = answer(request).finally(() => {
        underWay.delete(answering);
        asked.delete(keyOf(request));
        begin();
      });
      underWay.add(answering);
    }
  }

  async function answer(request: KlinesAsked | TradesAsked): Promise<void> {
    try {
      if (request.type === 'klines') await answerKlines(request);
      else await answerTrades(request);
    } catch (error) {
      // A login page in between says nothing of the minute.
      if (!signal.aborted && request.type === 'trades' && isFinal(error)) {
        unrepairable(request, reasonOf(error, request.symbol));
      }
    }
  }

  /** True as soon as `attempt` is; false where it never was. */
  async function tryAgain(attempt: (tries: number) => Promise<boolean>): Promise<boolean> {
    for (let tries = 1; !signal.aborted; tries++) {
      if (await attempt(tries)) return true;
      if (tries === REPAIR_TRIES_MAX) return false;
      await clock.sleep(REPAIR_RETRY_MS, signal);
    }
    return true;
  }

  async function answerTrades(request: TradesAsked): Promise<void> {
    const isDone = await tryAgain((tries) => tryTrades(request, tries));
    if (!isDone) unrepairable(request, 'the exchange has not yet shown where the minute ends');
  }

  async function tryTrades(request: TradesAsked, tries: number): Promise<boolean> {
    const { symbol, openTime } = request;
    const read = await fetchMinuteTrades(symbol, openTime, { rest, ...asking });
    await room();
    signal.throwIfAborted();
    switch (read.type) {
      case 'whole':
        emitGroup(symbol, openTime, read);
        tell({ type: 'repaired', symbol, openTime });
        return true;
      case 'absent':
        tell({ type: 'absent', symbol, openTime });
        return true;
      case 'missing':
        if (tries < MISSING_TRIES_MAX) return false;
        unrepairable(request, read.reason);
        return true;
      case 'not-yet':
        return false;
    }
  }

  function unrepairable({ symbol, openTime }: TradesAsked, reason: string): void {
    tell({ type: 'unrepairable', symbol, openTime, reason });
  }

  /** Nothing is awaited in here: the group's parts come in a row. */
  function emitGroup(
    symbol: MarketSymbol,
    openTime: EpochMs,
    { trades, nextTradeTime }: MinuteTrades & { readonly type: 'whole' },
  ): void {
    const next = nextTradeTime === undefined ? {} : { nextTradeTime };
    const parts = Math.max(1, Math.ceil(trades.length / REPAIR_PART_TRADES_MAX));
    for (let part = 0; part < parts; part++) {
      const from = part * REPAIR_PART_TRADES_MAX;
      const own = trades.slice(from, from + REPAIR_PART_TRADES_MAX);
      emit({ type: 'repair', repair: { symbol, openTime, part, parts, trades: own, ...next } });
    }
  }

  /** In order; a minute that is not settled yet keeps those after it waiting. */
  async function answerKlines({ symbol, from, to }: KlinesAsked): Promise<void> {
    let next = from;
    await tryAgain(async () => {
      const limit = Math.min((to - next) / MINUTE_MS + 1, KLINES_ASKED_MAX);
      const range = { startTime: next, limit };
      const { closed, lastOpenTime } = await rest.klines(symbol, '1m', range, asking);
      await room();
      signal.throwIfAborted();
      const known = new Map(closed.map((candle) => [candle.openTime, candle]));
      for (; next < to; next = addMs(next, MINUTE_MS)) {
        const candle = known.get(next);
        if (candle !== undefined) tell({ type: 'kline', via: 'rest', candle });
        else if (isAbsent(next, lastOpenTime)) tell({ type: 'absent', symbol, openTime: next });
        else return false;
      }
      return true;
    });
  }

  /** The exchange answered without this minute, its last row being the one at `lastOpenTime`. */
  function isAbsent(openTime: EpochMs, lastOpenTime: EpochMs | undefined): boolean {
    if (lastOpenTime !== undefined && lastOpenTime >= openTime) return lastOpenTime > openTime;
    return rest.now() >= addMs(openTime, MINUTE_MS + ABSENT_AFTER_MS);
  }

  return {
    ask(request) {
      const symbol = request.type === 'rounding' ? request.candle.symbol : request.symbol;
      if (!isOurs(symbol) || signal.aborted) return;
      // The minute is closed: whatever is emitted now comes after it.
      if (request.type === 'rounding') {
        return emit({ type: 'kline', candle: { ...request.candle, reason: 'rounding' } });
      }
      if (asked.has(keyOf(request)) || waiting.length >= REPAIRS_ASKED_MAX) return;
      asked.add(keyOf(request));
      waiting.push(request);
      begin();
    },
    async done() {
      await Promise.all(underWay);
    },
  };
}

function keyOf(request: KlinesAsked | TradesAsked): string {
  return request.type === 'klines'
    ? `klines ${request.symbol} ${request.from} ${request.to}`
    : `trades ${request.symbol} ${request.openTime}`;
}

function reasonOf(error: unknown, symbol: MarketSymbol): string {
  if (error instanceof FeedError && error.code === 'unknown-symbol') {
    return `the exchange lists ${symbol} no longer`;
  }
  return error instanceof Error ? error.message : String(error);
}
