// One symbol: joins REST and the live stream by id, fetches what is missing, and sees that its minutes' ends get their evidence.
// One worker does all the asking, so that nothing is asked twice at a time.
import type { AggTrade } from '../../core/market/agg-trade.ts';
import type { RawTick, SymbolStart } from '../../core/market/raw-tick.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock, DurationMs, EpochMs } from '../../core/market/time.ts';
import { encodeAggTrade } from '../../protocol/agg-trade-record.ts';
import { type FeedCounts, type FeedEvent, REJECTED_PAYLOAD_MAX } from '../market-feed.ts';
import { findFirstTrades, firstIdFrom } from './first-trades.ts';
import { KLINE_SETTLE_MS } from './kline-rows.ts';
import { createMinuteEvidence, EVIDENCE_RETRY_MS } from './minute-evidence.ts';
import { type ClosedMinute, createMinuteGate, type Lack, type MinuteGate } from './minute-gate.ts';
import { createMinuteWaits } from './minute-waits.ts';
import { createMissingTrades } from './missing-trades.ts';
import { createNewSeries } from './new-series.ts';
import type { SymbolJoin } from './past.ts';
import type { Rest, TradePage } from './rest.ts';
import { createRowMemory } from './row-memory.ts';
import { createSequencer, HELD_TRADES_MAX, type Via } from './sequencer.ts';
import {
  accountedFrom,
  fetchStartRows,
  RESUME_MS_MAX,
  type StartTiles,
  startMinute,
  tilesOf,
} from './start-tiles.ts';
import { createWake } from './wake.ts';

/** Frames out of order mend themselves within this; only then REST is asked. */
export const GAP_WAIT_MS: DurationMs = 10;
/** Closed minutes kept from before the join. At the limit the oldest goes: REST knows it. */
const EARLY_MINUTES_MAX = 60;
export type SymbolState = 'catching-up' | 'repairing' | 'live';

export interface SymbolStream {
  state(): SymbolState;
  counts(): FeedCounts;
  /** From the socket; kept by reference. */
  trade(trade: AggTrade): void;
  closedMinute(minute: ClosedMinute): void;
  /** The socket is open, also again: what was missed is fetched. */
  opened(): void;
  /** Joins and goes on until `signal` aborts. @throws FeedError, Error where REST's answers make no sense */
  run(): Promise<void>;
}

/** Defaults: `HOLE_WAIT_MS`, `HELD_TRADES_MAX`, `RESUME_TRADES_MAX`. */
export interface StreamLimits {
  readonly holeWaitMs?: DurationMs;
  readonly heldTradesMax?: number;
  readonly resumeTradesMax?: number;
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
  /** One line for the user, of what is out of the ordinary. */
  readonly onTrouble?: (reason: string) => void;
  readonly limits?: StreamLimits;
  /** After each start, as soon as the symbol is live: its past may be fetched. */
  readonly onJoined: (join: SymbolJoin) => void;
  readonly signal: AbortSignal;
}

export function createSymbolStream(options: SymbolStreamOptions): SymbolStream {
  const { symbol, rest, clock, emit, push, room, signal } = options;
  const heldMax = options.limits?.heldTradesMax ?? HELD_TRADES_MAX;
  const sequencer = createSequencer({ heldMax, onJump: jumped });
  const missing = createMissingTrades({
    symbol,
    rest,
    clock,
    sequencer,
    holeWaitMs: options.limits?.holeWaitMs,
    resumeTradesMax: options.limits?.resumeTradesMax,
    room: roomInGate,
    beginTime: () => gate?.openMinute() ?? rest.now(),
    take: acceptPage,
    begin,
    beginSeries,
    reject,
    signal,
  });
  const series = createNewSeries(symbol, { rest, sequencer, clock, signal });
  const evidence = createMinuteEvidence(symbol, rest, signal);
  const work = createWake(clock);
  const waits = createMinuteWaits({ rest, clock, evidence, work, signal });
  const firstOpened = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => firstOpened.resolve(), { once: true });
  let resumeFrom = options.resumeFrom;
  let gate: MinuteGate | undefined;
  /** The last one said. */
  let said: SymbolStart | undefined;
  const early: ClosedMinute[] = [];
  const isNewRow = createRowMemory();
  let state: SymbolState = 'catching-up';
  let hasOpened = false;
  /** The socket was replaced: what came between is missing. */
  let wasLost = false;
  /** A start whose past nobody has been told to fetch yet. */
  let joined: SymbolJoin | undefined;
  /** Too much was missed, or the ids began anew: the next start is no earlier than this minute. */
  let startNoEarlier: EpochMs | undefined;
  let isNewSeries = false;
  let duplicates = 0;
  let idJumps = 0;

  function setState(next: SymbolState): void {
    if (next === state) return;
    state = next;
    options.onState();
  }

  function accept(trade: AggTrade, via: Via = 'stream'): void {
    // Not taken at the limit: the jump of ids shows it, and it is fetched.
    if (gate !== undefined && gate.heldCount() >= heldMax) return;
    const result = sequencer.accept(trade, via);
    switch (result.type) {
      case 'ready':
        pass(result.trades);
        break;
      case 'duplicate':
        if (via === 'stream') duplicated(trade);
        break;
      case 'full':
        missing.full();
        work.wake();
        break;
      case 'gap':
      case 'waiting':
        work.wake();
    }
  }

  function duplicated(trade: AggTrade): void {
    duplicates += 1;
    if (series.suspect(trade)) work.wake();
  }

  /** Asked once, REST said the same: recorded, and taken as it is. */
  function jumped(trade: AggTrade, expected: number): void {
    idJumps += 1;
    const reason = `Expected trade ${trade.aggTradeId} of ${symbol} to begin with the single trade ${expected}, was ${trade.firstTradeId}: taken as it is, for the exchange says so`;
    reject(reason, encodeAggTrade(trade));
  }

  function pass(trades: readonly AggTrade[]): void {
    if (gate === undefined) return;
    for (const trade of trades) gate.trade(trade);
    if (gate.lack() !== undefined) work.wake();
  }

  function begin(id: number): void {
    pass(sequencer.begin(id));
  }

  /** Nothing was known of its ids: those below `id` are no hole, and whoever folds its trades must be told. */
  function beginSeries(id: number): void {
    if (gate !== undefined && said !== undefined && id > 0) {
      emit({ type: 'symbol', start: { ...said, time: gate.openMinute(), isNewSeries: true } });
    }
    begin(id);
  }

  function acceptPage(page: TradePage): void {
    for (const { reason, payload } of page.rejected) {
      if (isNewRow(payload)) reject(reason, payload);
    }
    for (const trade of page.trades) accept(trade, 'rest');
  }

  function reject(reason: string, payload: string): void {
    push({ type: 'rejected', reason, payload: payload.slice(0, REJECTED_PAYLOAD_MAX) });
  }

  async function join(): Promise<void> {
    const start = Math.max(startMinute(resumeFrom, rest.now()), startNoEarlier ?? 0) as EpochMs;
    const findFirst = () => findFirstTrades(symbol, start, { rest, clock, signal });
    const [rows, early] = await Promise.all([
      fetchStartRows(symbol, start, { rest, clock, signal }),
      firstOpened.promise.then(findFirst),
    ]);
    // Klines that came later may count what this page could not hold yet: only a younger one can lack trades.
    const isShort = accountedFrom(start, rows.minutes, early.page) > start;
    const first = isShort ? await findFirst() : early;
    await room();
    signal.throwIfAborted();
    const from = accountedFrom(start, rows.minutes, first.page);
    emitStart(tilesOf(symbol, from, rows, resumeFrom), firstIdFrom(from, first));
    acceptPage(first.page);
    if (first.page.isFull) missing.expectMore();
    joined = { start: from, missedFrom: joined?.missedFrom ?? resumeFrom };
  }

  function emitSymbol(tiles: StartTiles): void {
    said = tiles.start;
    emit({ type: 'symbol', start: isNewSeries ? { ...said, isNewSeries } : said });
    isNewSeries = false;
    startNoEarlier = undefined;
  }

  /** Nothing is awaited in here: the socket's trades find either no gate or all of it. */
  function emitStart(tiles: StartTiles, firstId: number | undefined): void {
    emitSymbol(tiles);
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

  async function roomInGate(): Promise<void> {
    await room();
    while (gate !== undefined && gate.heldCount() >= heldMax) await provideEvidence(gate);
    signal.throwIfAborted();
  }

  /** Until nothing is missing; too much is left to klines, and the trades join again at the next minute that is settled. */
  async function fetchMissing(): Promise<void> {
    if ((await missing.fetch()) === 'done' || gate === undefined) return;
    const settled = startMinute(undefined, rest.now());
    // Nearer than that it would not get: the trades are fetched, however many.
    if (settled > gate.openMinute()) startAgain(gate.openMinute(), settled);
  }

  function startAgain(openMinute: EpochMs, noEarlier: EpochMs | undefined): void {
    resumeFrom = openMinute;
    startNoEarlier = noEarlier;
    sequencer.suspend();
    gate = undefined;
  }

  async function lookForNewSeries(open: MinuteGate): Promise<void> {
    const from = await series.ask();
    signal.throwIfAborted();
    if (from === undefined) return;
    const reason = `The exchange's trade ids have begun anew; trades are taken from ${new Date(from).toISOString()} on`;
    reject(`${symbol}: ${reason}`, '');
    setState('catching-up');
    options.onTrouble?.(reason);
    startAgain(open.openMinute(), from);
    sequencer.restart();
    isNewSeries = true;
    while (rest.now() < from + KLINE_SETTLE_MS && !signal.aborted) {
      await clock.sleep(EVIDENCE_RETRY_MS, signal);
    }
    signal.throwIfAborted();
  }

  async function provideEvidence(open: MinuteGate): Promise<void> {
    if (!(await evidence.ask(open))) await clock.sleep(EVIDENCE_RETRY_MS, signal);
    signal.throwIfAborted();
  }

  async function provide(lack: Lack, open: MinuteGate): Promise<void> {
    if (!(await waits.isOver(lack, open))) return;
    if (lack.type === 'evidence') return provideEvidence(open);
    setState('repairing');
    missing.expectMore();
    await fetchMissing();
    if (open.lack()?.type === 'trades') await clock.sleep(EVIDENCE_RETRY_MS, signal);
  }

  /** The socket is new: what came in between is missing; after long, the symbol starts again. */
  async function reopen(open: MinuteGate): Promise<void> {
    wasLost = false;
    missing.expectMore();
    waits.askSoon();
    const isLong = () => rest.now() - open.openMinute() > RESUME_MS_MAX;
    if (!isLong()) return;
    // It may be that the machine's clock was set.
    await rest.sampleTime(signal);
    if (isLong()) startAgain(open.openMinute(), undefined);
  }

  async function step(): Promise<void> {
    if (gate !== undefined && wasLost) await reopen(gate);
    return gate === undefined ? join() : goOn(gate);
  }

  async function goOn(open: MinuteGate): Promise<void> {
    if (series.isSuspected()) return lookForNewSeries(open);
    if (missing.isMissing()) {
      if (!missing.isExpecting()) {
        setState('repairing');
        await clock.sleep(GAP_WAIT_MS, signal);
      }
      return fetchMissing();
    }
    const lack = open.lack();
    if (lack !== undefined) return provide(lack, open);
    waits.nothingLacks();
    setState('live');
    if (joined !== undefined) options.onJoined(joined);
    joined = undefined;
    return waits.idle(open);
  }

  return {
    state: () => state,
    counts: () => ({ duplicates, idJumps, passedHoles: missing.passedHoles() }),
    trade: (trade) => accept(trade),
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
