// Between one symbol's ordered trades and `raw_ticks`: decides when a minute's end may be said (a watermark), and holds back a trade
// that would jump over minutes nobody has vouched for. No I/O and no clock: evidence is handed in, what is lacking is asked for.
import { type AggTrade, isVoid } from '../../core/market/agg-trade.ts';
import type { RawTick } from '../../core/market/raw-tick.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { addMs, type EpochMs, MINUTE_MS, minuteOf } from '../../core/market/time.ts';

/** The exchange's word on a closed minute. */
export interface ClosedMinute {
  readonly openTime: EpochMs;
  /** Single trades in it (`n`). */
  readonly trades: number;
  /** `L`; undefined where the source does not say (REST). */
  readonly lastTradeId: number | undefined;
}

/** What the gate waits for. */
export type Lack =
  /** Whether the minutes from `from` on, up to `to` (exclusive), exist. */
  | { readonly type: 'evidence'; readonly from: EpochMs; readonly to: EpochMs }
  /** The exchange counts trades in the open minute that have not come. */
  | { readonly type: 'trades' };

/** Minutes of evidence kept ahead of the open minute: a day. Later ones are forgotten; they are asked for again when needed. */
export const EVIDENCE_MINUTES_MAX = 1_440;

export interface MinuteGate {
  /** Open time of the first minute not closed yet. */
  openMinute(): EpochMs;
  /** Trades held back. */
  heldCount(): number;
  /** Next trade in id order; kept by reference. */
  trade(trade: AggTrade): void;
  /** Evidence that a minute exists and is over; of an older minute it is ignored. */
  closed(minute: ClosedMinute): void;
  /** The exchange has no candle of this minute and will have none. */
  absent(openTime: EpochMs): void;
  lack(): Lack | undefined;
}

export interface MinuteGateOptions {
  readonly symbol: MarketSymbol;
  /** Open time of the minute the first trade may belong to: everything before is closed. */
  readonly openMinute: EpochMs;
  /** Last id before it, −1 where there is none. */
  readonly lastAggTradeId: number;
  /** Called in order, synchronously. */
  readonly emit: (tick: RawTick) => void;
}

type Evidence = ClosedMinute | 'absent';

export function createMinuteGate({ symbol, emit, ...start }: MinuteGateOptions): MinuteGate {
  const evidence = new Map<EpochMs, Evidence>();
  const held: AggTrade[] = [];
  let heldFrom = 0;
  let openMinute = start.openMinute;
  /** Single trades passed on in the open minute. */
  let tradesInMinute = 0;
  let lastAggTradeId = start.lastAggTradeId;
  let lastTradeId = -1;

  function isWanted(openTime: EpochMs): boolean {
    return openTime >= openMinute && openTime < addMs(openMinute, EVIDENCE_MINUTES_MAX * MINUTE_MS);
  }

  function pass(trade: AggTrade): void {
    const minute = minuteOf(trade.tradeTime);
    if (minute > openMinute) moveTo(minute);
    const isNone = isVoid(trade);
    if (minute === openMinute && !isNone) {
      tradesInMinute += trade.lastTradeId - trade.firstTradeId + 1;
    }
    lastAggTradeId = trade.aggTradeId;
    if (!isNone) lastTradeId = trade.lastTradeId;
    if (isNone)
      emit({
        type: 'void',
        trade: { symbol, aggTradeId: trade.aggTradeId, tradeTime: trade.tradeTime },
      });
    else emit({ type: 'aggTrade', trade });
  }

  function moveTo(minute: EpochMs): void {
    for (let at = openMinute; at < minute; at = addMs(at, MINUTE_MS)) {
      if (!evidence.delete(at) && evidence.size === 0) break;
    }
    openMinute = minute;
    tradesInMinute = 0;
  }

  function hasAllTrades(minute: ClosedMinute): boolean {
    if (minute.trades === 0) return true;
    if (minute.lastTradeId !== undefined) return lastTradeId >= minute.lastTradeId;
    return tradesInMinute >= minute.trades;
  }

  /** Ends the open minute by its evidence. `next`: the later trade that is in order, so nothing of this minute is still to come. */
  function closeByEvidence(next: AggTrade | undefined): boolean {
    const known = evidence.get(openMinute);
    if (known === undefined) return false;
    if (known !== 'absent') {
      const isShort = !hasAllTrades(known);
      if (isShort && next === undefined) return false;
      // A hole was passed over, and one of its ids at least was in here: who folds this minute must see that.
      if (isShort && next !== undefined && next.aggTradeId > lastAggTradeId + 1)
        lastAggTradeId += 1;
      const time = addMs(openMinute, MINUTE_MS);
      emit({ type: 'watermark', watermark: { symbol, time, aggTradeId: lastAggTradeId } });
    }
    moveTo(addMs(openMinute, MINUTE_MS));
    return true;
  }

  /** One step towards the next held trade; false where it must wait. */
  function stepTo(trade: AggTrade): boolean {
    const minute = minuteOf(trade.tradeTime);
    const following = addMs(openMinute, MINUTE_MS);
    if (minute <= openMinute || (tradesInMinute > 0 && minute === following)) {
      heldFrom += 1;
      pass(trade);
      return true;
    }
    if (closeByEvidence(trade)) return true;
    // Its own trades are proof enough of this minute: what counts is word of the one after.
    if (tradesInMinute === 0 || !evidence.has(following)) return false;
    moveTo(following);
    return true;
  }

  function advance(): void {
    for (;;) {
      const trade = held[heldFrom];
      if (trade === undefined ? !closeByEvidence(undefined) : !stepTo(trade)) break;
    }
    if (heldFrom > 0 && heldFrom * 2 >= held.length) {
      held.splice(0, heldFrom);
      heldFrom = 0;
    }
  }

  return {
    openMinute: () => openMinute,
    heldCount: () => held.length - heldFrom,
    trade(trade) {
      if (held.length === 0 && minuteOf(trade.tradeTime) <= openMinute) {
        pass(trade);
        if (evidence.size > 0) advance();
        return;
      }
      held.push(trade);
      advance();
    },
    closed(minute) {
      if (!isWanted(minute.openTime)) return;
      const known = evidence.get(minute.openTime);
      // The frame's last trade id is worth more than a count read later by REST.
      if (known !== undefined && known !== 'absent' && minute.lastTradeId === undefined) return;
      evidence.set(minute.openTime, minute);
      advance();
    },
    absent(openTime) {
      if (!isWanted(openTime) || evidence.has(openTime)) return;
      evidence.set(openTime, 'absent');
      advance();
    },
    lack() {
      const trade = held[heldFrom];
      if (trade !== undefined) {
        return { type: 'evidence', from: openMinute, to: minuteOf(trade.tradeTime) };
      }
      if (evidence.size === 0) return undefined;
      if (evidence.has(openMinute)) return { type: 'trades' };
      return { type: 'evidence', from: openMinute, to: Math.max(...evidence.keys()) as EpochMs };
    },
  };
}
