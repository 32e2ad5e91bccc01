// One symbol: joins REST and the live stream by id, fetches what is missing, and sees that its minutes' ends get their evidence.
// One worker does all the asking, so that nothing is asked twice at a time.
import type { AggTrade } from '../../core/market/agg-trade.ts';
import type { RawTick } from '../../core/market/raw-tick.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { type Clock, type DurationMs, type EpochMs, MINUTE_MS } from '../../core/market/time.ts';
import { type FeedEvent, REJECTED_PAYLOAD_MAX } from '../market-feed.ts';
import { findFirstTrades, firstIdFrom } from './first-trades.ts';
import { KLINE_SETTLE_MS } from './kline-rows.ts';
import { createMinuteEvidence, EVIDENCE_RETRY_MS } from './minute-evidence.ts';
import { type ClosedMinute, createMinuteGate, type Lack, type MinuteGate } from './minute-gate.ts';
import type { SymbolJoin } from './past.ts';
import { PAGE_ROWS_MAX, type Rest, type TradePage } from './rest.ts';
import { createSequencer, HELD_TRADES_MAX } from './sequencer.ts';
import {
  accountedFrom,
  fetchStartRows,
  RESUME_MS_MAX,
  type StartTiles,
  startMinute,
  tilesOf,
} from './start-tiles.ts';
import { createWake } from './wake.ts';

/** A closed kline's frame is waited for so long before REST is asked: it comes 0–2.4 s after the minute. */
export const EVIDENCE_WAIT_MS: DurationMs = 2_500;
/** Trades that a closed kline counts and that have not come are waited for so long before REST is asked. */
export const TRADES_WAIT_MS: DurationMs = 500;
/** Frames out of order mend themselves within this; only then REST is asked. */
export const GAP_WAIT_MS: DurationMs = 10;
/** REST lags: a trade it has not got is asked for again so often, with growing pauses (about 60 s in all), then passed over. */
export const HOLE_TRIES_MAX = 64;
const HOLE_RETRY_MS_MIN: DurationMs = 50;
const HOLE_RETRY_MS_MAX: DurationMs = 1_000;
/** Closed minutes kept from before the join. At the limit the oldest goes: REST knows it. */
const EARLY_MINUTES_MAX = 60;
/** Rows of REST that were no trade, remembered: the same ones come again with each try. At the limit the oldest is forgotten. */
const REJECTED_ROWS_MAX = PAGE_ROWS_MAX;
/** Longest pause between two questions for a minute whose end nobody announced. */
const OVERDUE_RETRY_MS_MAX: DurationMs = MINUTE_MS;

export type SymbolState = 'catching-up' | 'repairing' | 'live';

export interface SymbolStream {
  state(): SymbolState;
  /** From the socket; kept by reference. */
  trade(trade: AggTrade): void;
  closedMinute(minute: ClosedMinute): void;
  /** The socket is open, also again: what was missed is fetched. */
  opened(): void;
  /** Joins and goes on until `signal` aborts. @throws FeedError, Error where REST's answers make no sense */
  run(): Promise<void>;
}

export interface SymbolStreamOptions {
  readonly symbol: MarketSymbol;
  readonly resumeFrom: EpochMs | undefined;
  readonly rest: Rest;
  readonly clock: Clock;
  readonly emit: (tick: RawTick) => void;
  readonly push: (event: FeedEvent) => void;
  /** Waits while the reader is behind. */
  readonly room: () => Promise<void>;
  readonly onState: () => void;
  /** After each start, as soon as the symbol is live: its past may be fetched. */
  readonly onJoined: (join: SymbolJoin) => void;
  readonly signal: AbortSignal;
}

export function createSymbolStream(options: SymbolStreamOptions): SymbolStream {
  const { symbol, rest, clock, emit, push, room, signal } = options;
  const asking = { priority: 'urgent', signal } as const;
  const sequencer = createSequencer();
  const evidence = createMinuteEvidence(symbol, rest, signal);
  const work = createWake(clock);
  const firstOpened = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => firstOpened.resolve(), { once: true });
  let resumeFrom = options.resumeFrom;
  let gate: MinuteGate | undefined;
  const early: ClosedMinute[] = [];
  const rejectedRows = new Set<string>();
  let state: SymbolState = 'catching-up';
  /** REST may have trades that will not come live. */
  let mustReachEnd = false;
  let hasOpened = false;
  /** The socket was replaced: what came between is missing. */
  let wasLost = false;
  /** A start whose past nobody has been told to fetch yet. */
  let joined: SymbolJoin | undefined;
  let waiting: { readonly key: string; readonly until: EpochMs } | undefined;
  let overdueTries = 0;
  let askAgainAt = 0;

  function setState(next: SymbolState): void {
    if (next === state) return;
    state = next;
    options.onState();
  }

  function accept(trade: AggTrade): void {
    // Not taken at the limit: the jump of ids shows it, and it is fetched.
    if (gate !== undefined && gate.heldCount() >= HELD_TRADES_MAX) return;
    const result = sequencer.accept(trade);
    if (result.type === 'ready') pass(result.trades);
    else if (result.type !== 'duplicate') work.wake();
  }

  function pass(trades: readonly AggTrade[]): void {
    if (gate === undefined) return;
    for (const trade of trades) gate.trade(trade);
    if (gate.lack() !== undefined) work.wake();
  }

  function begin(id: number): void {
    pass(sequencer.begin(id));
  }

  function acceptPage(page: TradePage): void {
    for (const { reason, payload } of page.rejected) rejectOnce(reason, payload);
    for (const trade of page.trades) accept(trade);
  }

  function rejectOnce(reason: string, payload: string): void {
    if (rejectedRows.has(payload)) return;
    rejectedRows.add(payload);
    const [oldest] = rejectedRows;
    if (rejectedRows.size > REJECTED_ROWS_MAX && oldest !== undefined) rejectedRows.delete(oldest);
    reject(reason, payload);
  }

  function reject(reason: string, payload: string): void {
    push({ type: 'rejected', reason, payload: payload.slice(0, REJECTED_PAYLOAD_MAX) });
  }

  async function join(): Promise<void> {
    const start = startMinute(resumeFrom, rest.now());
    const [rows, first] = await Promise.all([
      fetchStartRows(symbol, start, { rest, clock, signal }),
      firstOpened.promise.then(() => findFirstTrades(symbol, start, { rest, clock, signal })),
    ]);
    await room();
    signal.throwIfAborted();
    const from = accountedFrom(start, rows.minutes, first.page);
    emitStart(tilesOf(symbol, from, rows, resumeFrom), firstIdFrom(from, first));
    acceptPage(first.page);
    mustReachEnd = first.page.isFull;
    joined = { start: from, missedFrom: joined?.missedFrom ?? resumeFrom };
  }

  /** Nothing is awaited in here: the socket's trades find either no gate or all of it. */
  function emitStart(tiles: StartTiles, firstId: number | undefined): void {
    emit({ type: 'symbol', start: tiles.start });
    for (const candle of [...tiles.days, ...tiles.minutes]) emit({ type: 'kline', candle });
    const lastAggTradeId = (firstId ?? 0) - 1;
    gate = createMinuteGate({ symbol, openMinute: tiles.start.time, lastAggTradeId, emit });
    for (const { openTime, trades } of tiles.following) {
      gate.closed({ openTime, trades, lastTradeId: undefined });
    }
    for (const minute of early.splice(0)) gate.closed(minute);
    if (firstId !== undefined) begin(firstId);
    for (const candles of tiles.history) {
      if (candles.length > 0) push({ type: 'history', candles });
    }
  }

  /** Fetches by id until nothing is missing before what came live and REST has no more that was missed. */
  async function fetchMissing(): Promise<void> {
    for (let tries = 0; isMissing(); ) {
      const from = sequencer.next();
      await fetchPage();
      tries = sequencer.next() === from ? tries + 1 : 0;
      if (tries > 0) await pauseOrPass(tries);
      signal.throwIfAborted();
    }
  }

  async function fetchPage(): Promise<void> {
    await roomInGate();
    const fromId = sequencer.next();
    // A symbol that had never traded: its series begins with what REST has by now.
    const from =
      fromId === undefined ? { startTime: gate?.openMinute() ?? rest.now() } : { fromId };
    const page = await rest.aggTrades(symbol, from, asking);
    const first = page.trades[0];
    if (fromId === undefined && first !== undefined) begin(first.aggTradeId);
    acceptPage(page);
    if (!page.isFull) mustReachEnd = false;
  }

  async function pauseOrPass(tries: number): Promise<void> {
    if (tries >= HOLE_TRIES_MAX) passHole();
    else if (isMissing()) await clock.sleep(holeRetryMs(tries), signal);
  }

  function isMissing(): boolean {
    const isBegun = sequencer.next() !== undefined;
    return (
      mustReachEnd || sequencer.missing() !== undefined || (!isBegun && sequencer.heldCount() > 0)
    );
  }

  async function roomInGate(): Promise<void> {
    await room();
    while (gate !== undefined && gate.heldCount() >= HELD_TRADES_MAX) await provideEvidence(gate);
    signal.throwIfAborted();
  }

  /** REST has not got them: the stream goes on, and whoever folds it sees the hole by the ids. */
  function passHole(): void {
    const from = sequencer.next();
    const held = sequencer.lowestHeld();
    mustReachEnd = false;
    if (held === undefined) return;
    if (from !== undefined) {
      const reason = `Expected trades ${from} to ${held - 1} of ${symbol}: the exchange has not got them`;
      reject(reason, '');
    }
    begin(held);
  }

  async function provideEvidence(open: MinuteGate): Promise<void> {
    if (!(await evidence.ask(open))) await clock.sleep(EVIDENCE_RETRY_MS, signal);
    signal.throwIfAborted();
  }

  async function provide(lack: Lack, open: MinuteGate): Promise<void> {
    if (!(await isWaitOver(lack, open))) return;
    if (lack.type === 'evidence') return provideEvidence(open);
    setState('repairing');
    mustReachEnd = true;
    await fetchMissing();
    if (open.lack()?.type === 'trades') await clock.sleep(EVIDENCE_RETRY_MS, signal);
  }

  /** What is lacking is given some time to come by itself. */
  async function isWaitOver(lack: Lack, open: MinuteGate): Promise<boolean> {
    const key = `${lack.type} ${open.openMinute()}`;
    if (waiting?.key !== key) {
      const ms = lack.type === 'trades' ? TRADES_WAIT_MS : EVIDENCE_WAIT_MS;
      waiting = { key, until: (clock.now() + ms) as EpochMs };
    }
    const left = waiting.until - clock.now();
    if (left <= 0) return true;
    if ((await work.wait(left, signal)) === 'timer') waiting = { key, until: 0 as EpochMs };
    return false;
  }

  /** Nothing is lacking: sleeps; but word of the open minute's end may itself have been missed. */
  async function idle(open: MinuteGate): Promise<void> {
    const due = Math.max(open.openMinute() + MINUTE_MS + KLINE_SETTLE_MS, askAgainAt);
    const left = due - rest.now();
    if (left > 0) {
      await work.wait(left + 1, signal);
      return;
    }
    const hasMoved = await evidence.ask(open);
    overdueTries = hasMoved ? 0 : overdueTries + 1;
    askAgainAt = rest.now() + Math.min(EVIDENCE_RETRY_MS * 2 ** overdueTries, OVERDUE_RETRY_MS_MAX);
  }

  /** The socket is new: what came in between is missing; after long, the symbol starts again. */
  function reopen(open: MinuteGate): void {
    wasLost = false;
    mustReachEnd = true;
    askAgainAt = 0;
    if (rest.now() - open.openMinute() <= RESUME_MS_MAX) return;
    resumeFrom = open.openMinute();
    sequencer.suspend();
    gate = undefined;
  }

  async function step(): Promise<void> {
    if (gate !== undefined && wasLost) reopen(gate);
    if (gate === undefined) return join();
    if (isMissing()) {
      if (!mustReachEnd) {
        setState('repairing');
        await clock.sleep(GAP_WAIT_MS, signal);
      }
      return fetchMissing();
    }
    const lack = gate.lack();
    if (lack !== undefined) return provide(lack, gate);
    waiting = undefined;
    setState('live');
    if (joined !== undefined) options.onJoined(joined);
    joined = undefined;
    return idle(gate);
  }

  return {
    state: () => state,
    trade: accept,
    closedMinute(minute) {
      if (gate === undefined) {
        early.push(minute);
        if (early.length > EARLY_MINUTES_MAX) early.shift();
        return;
      }
      gate.closed(minute);
      if (gate.lack() !== undefined) work.wake();
    },
    opened() {
      wasLost = hasOpened;
      hasOpened = true;
      firstOpened.resolve();
      setState('catching-up');
      work.wake();
    },
    async run() {
      while (!signal.aborted) await step();
    },
  };
}

function holeRetryMs(tries: number): DurationMs {
  return Math.min(HOLE_RETRY_MS_MIN * 2 ** Math.min(tries - 1, 8), HOLE_RETRY_MS_MAX);
}
