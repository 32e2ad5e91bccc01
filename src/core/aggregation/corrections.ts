// Corrections of closed candles: a late trade, a repaired minute, a minute that came later; each re-rolls every longer candle over it.
// Keeps the closed candles this needs (26 hours of 1m, 62 days of 1d, 2 minutes of 1s) and says so where it reaches no further.
import type { AggTrade } from '../market/agg-trade.ts';
import { type Candle, type CorrectionReason, sameCandleValues } from '../market/candle.ts';
import {
  type Calendar,
  INTERVAL_MS,
  type Interval,
  nextOpenTime,
  openTimeOf,
} from '../market/interval.ts';
import type { RepairPart } from '../market/raw-tick.ts';
import { differsByRounding } from '../market/rounding.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import { addMs, DAY_MS, type EpochMs, MINUTE_MS, minuteOf, SECOND_MS } from '../market/time.ts';
import type { AggregationEvent } from './aggregation-event.ts';
import type { ClosedTails, RolledState } from './aggregation-state.ts';
import { CandleAccumulator, type QuoteValue } from './candle-accumulator.ts';
import { CandleRing } from './candle-ring.ts';
import { foldTrades } from './fold-trades.ts';
import { emptyCandle, mergeCandles } from './merge-candles.ts';
import { asKnown, type FROM_DAYS, isFromDays, mergeAll, type RollUp } from './roll-up.ts';

/** 26 hours: a whole UTC day and two hours into the next. */
export const MINUTES_KEPT = 1_560;
/** Two months: the longest open window and the one before. */
export const DAYS_KEPT = 62;
export const SECONDS_KEPT = 120;
/** Empty seconds moved after one repair: two hours without a trade. Those after them stay as they are, which is told. */
export const MOVED_SECONDS_MAX = 7_200;
/** Remembered revisions above 0. At the limit the oldest is forgotten. */
export const REVISIONS_KEPT = 20_000;

export interface RollUps {
  readonly rollUps: readonly RollUp[];
  readonly calendar: Calendar;
  /** Open time of the minute now being folded: windows that end later are open. */
  readonly openMinute: number;
  /** From when minutes, and days, are known without a hole: no window that opens before is put together anew. */
  readonly minutesFrom: EpochMs;
  readonly daysFrom: EpochMs;
}

export class Corrections {
  readonly seconds: CandleRing;
  readonly minutes: CandleRing;
  readonly days: CandleRing;
  private readonly symbol: MarketSymbol;
  private readonly sink: (event: AggregationEvent) => void;
  /** By `interval:openTime`, only those above 0. */
  private readonly revisions = new Map<string, number>();
  /** Seconds of before a restart that are folded once more. */
  private readonly unproven = new Map<EpochMs, Candle>();
  /** Parts of a repair group so far. */
  private group: RepairPart[] = [];

  constructor(symbol: MarketSymbol, sink: (event: AggregationEvent) => void) {
    this.symbol = symbol;
    this.sink = sink;
    this.seconds = new CandleRing(symbol, '1s', SECONDS_KEPT);
    this.minutes = new CandleRing(symbol, '1m', MINUTES_KEPT);
    this.days = new CandleRing(symbol, '1d', DAYS_KEPT);
  }

  restore(seed: {
    readonly minutes: readonly Candle[];
    readonly days: readonly Candle[];
    readonly corrected: readonly Candle[];
    readonly unproven: readonly Candle[];
  }): void {
    for (const second of seed.unproven) this.unproven.set(second.openTime, second);
    for (const minute of seed.minutes) this.minutes.put(minute);
    for (const day of seed.days) this.days.put(day);
    for (const candle of [...seed.corrected, ...seed.minutes, ...seed.days]) {
      if (candle.revision > 0) this.remember(candle);
    }
  }

  revisionsKept(): readonly (readonly [string, number])[] {
    return [...this.revisions];
  }

  get isInRepair(): boolean {
    return this.group.length > 0;
  }

  resume(revisions: RolledState['revisions'], { seconds, minutes, days }: ClosedTails): void {
    for (const [key, revision] of revisions) this.revisions.set(key, revision);
    for (const second of seconds) this.seconds.put(second);
    for (const minute of minutes) this.minutes.put(minute);
    for (const day of days) this.days.put(day);
  }

  /** A second is over. Where it was published before a restart and lacked something, that is corrected: the store keeps the first. */
  closeSecond(candle: Candle): void {
    const before = this.unproven.get(candle.openTime);
    this.unproven.delete(candle.openTime);
    const isSame = before === undefined || (before.complete && sameCandleValues(before, candle));
    // What the process before had, this one lacks: that is for the minute's repair.
    if (before?.complete && !candle.complete) this.seconds.put(before);
    else if (!isSame) this.seconds.put(this.correct(candle, 'repair'));
    else {
      const again = this.asRevised(candle);
      this.seconds.put(again);
      this.sink({ type: 'candle-closed', candle: again });
    }
  }

  /** Whether a second of the minute was published that lacks trades, by this process or by the one before a restart. */
  hasIncompleteSecond(minuteOpenTime: EpochMs): boolean {
    for (let offset = 0; offset < MINUTE_MS; offset += SECOND_MS) {
      const openTime = addMs(minuteOpenTime, offset);
      const second = this.seconds.get(openTime) ?? this.unproven.get(openTime);
      if (second?.complete === false) return true;
    }
    return false;
  }

  /** A late trade of the open minute: only its second is closed already. */
  lateInSecond(trade: AggTrade, quote: QuoteValue): void {
    const openTime = addMs(trade.tradeTime, -(trade.tradeTime % SECOND_MS));
    const second = this.seconds.get(openTime);
    if (second === undefined) return;
    const merged = mergeCandles(second, this.alone(trade, quote, '1s', openTime));
    this.seconds.put(this.correct(merged, 'late-trade'));
    this.moveFollowers(this.seconds, merged);
  }

  /** The candle before the window at `openTime`, where it is kept. */
  before(interval: '1s' | '1m', openTime: EpochMs): Candle | undefined {
    const ring = interval === '1s' ? this.seconds : this.minutes;
    return ring.get(addMs(openTime, -INTERVAL_MS[interval]));
  }

  /** A late trade of a closed minute. `covered`: that minute came from klines, which have it already. */
  late(trade: AggTrade, quote: QuoteValue, rollUps: RollUps): 'corrected' | 'covered' | 'missing' {
    const openTime = minuteOf(trade.tradeTime);
    const minute = this.minutes.get(openTime);
    if (minute === undefined) {
      this.sink({ type: 'out-of-reach', symbol: this.symbol, openTime });
      return 'missing';
    }
    if (minute.source === 'klines') return 'covered';
    // Trades come in the order of their ids: one at or below the minute's last was in it before a restart.
    if (minute.lastTradeId !== undefined && trade.lastTradeId <= minute.lastTradeId) {
      return 'covered';
    }
    this.lateInSecond(trade, quote);
    const merged = mergeCandles(minute, this.alone(trade, quote, '1m', openTime));
    this.changeMinute(merged, 'late-trade', rollUps);
    return 'corrected';
  }

  /** Publishes a closed minute anew, with every longer candle over it, and the empty minutes that are flat at its close. */
  private changeMinute(minute: Candle, reason: CorrectionReason, rollUps: RollUps): void {
    this.minutes.put(this.correct(minute, reason));
    this.reRoll(minute.openTime, rollUps);
    for (const moved of this.moveFollowers(this.minutes, minute)) this.reRoll(moved, rollUps);
  }

  /** The run of empty windows right after `candle` is flat at its close: corrects those that are not; answers which. */
  private moveFollowers(ring: CandleRing, candle: Candle): EpochMs[] {
    const moved: EpochMs[] = [];
    for (let { openTime } = candle; ; ) {
      openTime = addMs(openTime, INTERVAL_MS[candle.interval]);
      const next = ring.get(openTime);
      if (next === undefined || next.trades > 0) return moved;
      if (next.close === candle.close) return moved;
      const { symbol, interval, close } = candle;
      // Not complete, it may be empty only because its own trades are missing: that is for its own repair to say.
      const flat = emptyCandle(symbol, interval, openTime, close, candle.complete && next.complete);
      ring.put(this.correct({ ...flat, source: next.source }, 'rolled-up-correction'));
      moved.push(openTime);
    }
  }

  /** Puts an interval's open window together anew from the days kept: its grid is another now. */
  reRollDays(interval: (typeof FROM_DAYS)[number], rollUps: RollUps): void {
    const newest = this.days.newestOpenTime();
    const rollUp = rollUps.rollUps.find((each) => each.interval === interval);
    if (newest === undefined || rollUp === undefined) return;
    const windowOpen = openTimeOf(interval, addMs(newest, DAY_MS), rollUps.calendar);
    rollUp.replace(windowOpen, this.days.between(windowOpen, addMs(newest, 1)));
  }

  /** A closed minute that was a gap until now; one that is known already is left as it is. */
  insertMinute(candle: Candle, rollUps: RollUps): void {
    if (this.minutes.get(candle.openTime) !== undefined) return;
    this.minutes.put(candle);
    this.sink({ type: 'candle-closed', candle });
    this.reRoll(candle.openTime, rollUps);
    for (const moved of this.moveFollowers(this.minutes, candle)) this.reRoll(moved, rollUps);
  }

  /**
   * Takes over the exchange's quote volumes of a closed minute, where they differ from ours by what rounding may make (I3) and by nothing
   * else: it stays a candle folded from trades. Asked again, or of another candle than ours, it changes nothing.
   */
  round(kline: Candle, rollUps: RollUps): void {
    const { symbol, openTime } = kline;
    const known = this.minutes.get(openTime);
    if (!this.minutes.reaches(openTime)) this.sink({ type: 'out-of-reach', symbol, openTime });
    if (known === undefined || !differsByRounding(known, kline)) return;
    const { quoteVolume, takerBuyQuoteVolume } = kline;
    this.changeMinute({ ...known, quoteVolume, takerBuyQuoteVolume }, 'rounding', rollUps);
  }

  /** A closed day that was a gap until now; one that is known already is left as it is. */
  insertDay(candle: Candle, rollUps: RollUps): void {
    if (this.days.get(candle.openTime) !== undefined) return;
    this.days.put(candle);
    this.sink({ type: 'candle-closed', candle });
    const fromDays = rollUps.rollUps.filter(({ interval }) => isFromDays(interval));
    this.reRoll(candle.openTime, { ...rollUps, rollUps: fromDays });
  }

  /** A candle closed now, with the revision its identity had before a restart. */
  asRevised(candle: Candle): Candle {
    const revision = this.revisions.get(keyOf(candle));
    return revision === undefined ? candle : { ...candle, revision };
  }

  /** One part of a repair group. When whole, its minute is folded anew; a minute still open is left alone. */
  repair(part: RepairPart, rollUps: RollUps): void {
    const first = this.group[0];
    const follows =
      part.part === this.group.length &&
      (first === undefined || (first.openTime === part.openTime && first.parts === part.parts));
    this.group = follows ? [...this.group, part] : part.part === 0 ? [part] : [];
    if (this.group.length === 0 || this.group.length < part.parts) return;
    const trades = this.group.flatMap((each) => each.trades);
    this.group = [];
    if (part.openTime < rollUps.openMinute) this.foldAnew(part, trades, rollUps);
  }

  private foldAnew(
    { openTime, nextTradeTime }: RepairPart,
    trades: readonly AggTrade[],
    rollUps: RollUps,
  ): void {
    const before = this.minutes.get(addMs(openTime, -MINUTE_MS));
    const known = this.minutes.get(openTime);
    if (known === undefined && !this.minutes.reaches(openTime)) {
      this.sink({ type: 'out-of-reach', symbol: this.symbol, openTime });
      return;
    }
    const minute = this.fold('1m', openTime, trades, before);
    if (minute === undefined) return;
    if (known?.complete && sameCandleValues(known, minute)) return;
    const last = this.repairSeconds(openTime, trades, before, known === undefined);
    const isSure = known?.complete === true && known.close === minute.close;
    if (last !== undefined && !isSure) this.moveSeconds(last, nextTradeTime, rollUps.openMinute);
    if (known === undefined) {
      this.insertMinute(minute, rollUps);
      return;
    }
    this.changeMinute(minute, 'repair', rollUps);
  }

  /** Answers the last of them; undefined before the first trade ever. */
  private repairSeconds(
    minuteOpenTime: EpochMs,
    trades: readonly AggTrade[],
    before: Candle | undefined,
    isNew: boolean,
  ): Candle | undefined {
    let previous = before;
    for (let offset = 0; offset < MINUTE_MS; offset += SECOND_MS) {
      const openTime = addMs(minuteOpenTime, offset);
      const end = openTime + SECOND_MS;
      const own = trades.filter(({ tradeTime }) => tradeTime >= openTime && tradeTime < end);
      const folded = this.fold('1s', openTime, own, previous);
      if (folded === undefined) continue;
      // Flat at a close that is not sure either, it waits for that minute's repair.
      const isSure = own.length > 0 || previous === undefined || previous.complete;
      const second = isSure ? folded : { ...folded, complete: false };
      previous = second;
      if (isNew) {
        this.sink({ type: 'candle-closed', candle: second });
        continue;
      }
      const known = this.seconds.get(openTime);
      if (known?.complete && sameCandleValues(known, second)) continue;
      this.seconds.put(this.correct(second, 'repair'));
    }
    return previous === before ? undefined : previous;
  }

  /**
   * After a repaired minute's last second: those before the next trade are flat at its close, also such as are no longer kept, whose
   * values are not known here; their minute says that they were published.
   */
  private moveSeconds(last: Candle, nextTradeTime: EpochMs | undefined, openMinute: number): void {
    const { symbol, close } = last;
    const until = Math.min(nextTradeTime ?? openMinute, openMinute);
    let newest = last;
    for (let moved = 0; newest.closeTime + SECOND_MS < until; moved++) {
      const openTime = addMs(newest.openTime, SECOND_MS);
      if (moved === MOVED_SECONDS_MAX) {
        this.sink({ type: 'out-of-reach', symbol, openTime });
        return;
      }
      const minute = this.minutes.get(minuteOf(openTime));
      if (minute?.source !== 'trades') return;
      const known = this.seconds.get(openTime);
      const isTraded = known === undefined ? minute.trades > 0 : known.trades > 0;
      if (nextTradeTime === undefined && isTraded) return;
      const isComplete = nextTradeTime !== undefined || minute.complete;
      const isRight = known?.complete === isComplete && known.close === close;
      const flat = emptyCandle(symbol, '1s', openTime, close, isComplete);
      newest = isRight ? known : this.correct(flat, 'rolled-up-correction');
      this.seconds.put(newest);
    }
    this.moveFollowers(this.seconds, newest);
  }

  private fold(
    interval: '1s' | '1m',
    openTime: EpochMs,
    trades: readonly AggTrade[],
    before: Candle | undefined,
  ): Candle | undefined {
    return foldTrades({ symbol: this.symbol, interval, openTime }, trades, before?.close);
  }

  private alone(
    trade: AggTrade,
    quote: QuoteValue,
    interval: '1s' | '1m',
    openTime: EpochMs,
  ): Candle {
    const window = new CandleAccumulator();
    window.add(trade, quote);
    return window.candle(this.symbol, interval, openTime, true);
  }

  /** Every longer candle over the minute (or day) at `openTime`: the open ones quietly, the closed ones by a correction. */
  private reRoll(openTime: EpochMs, all: RollUps): void {
    const { rollUps, calendar, openMinute } = all;
    for (const rollUp of rollUps) {
      const { interval } = rollUp;
      const parts = isFromDays(interval) ? this.days : this.minutes;
      const windowOpen = openTimeOf(interval, openTime, calendar);
      const windowEnd = nextOpenTime(interval, windowOpen);
      if (windowEnd > openMinute) {
        const until = addMs(parts.newestOpenTime() ?? windowOpen, 1);
        rollUp.replace(windowOpen, parts.between(windowOpen, until));
      } else {
        const knownFrom = isFromDays(interval) ? all.daysFrom : all.minutesFrom;
        this.correctRolledUp(interval, [windowOpen, windowEnd], parts, knownFrom);
      }
    }
  }

  private correctRolledUp(
    interval: Interval,
    [openTime, end]: readonly [EpochMs, EpochMs],
    parts: CandleRing,
    knownFrom: EpochMs,
  ): void {
    const isWhollyUnknown = end <= knownFrom;
    // A day from the exchange's kline is not put together anew from what is known of its minutes.
    const isOfKline =
      interval === '1d' && openTime < knownFrom && this.days.get(openTime)?.source === 'klines';
    if (isWhollyUnknown || isOfKline || !parts.reaches(openTime)) {
      this.sink({ type: 'out-of-reach', symbol: this.symbol, openTime });
      return;
    }
    const merged = mergeAll(parts.between(openTime, end), interval, openTime);
    if (merged === undefined) return;
    const corrected = this.correct(asKnown(merged, knownFrom), 'rolled-up-correction');
    if (interval === '1d') this.days.put(corrected);
  }

  /** Publishes `candle` with the next revision of its identity. */
  private correct(candle: Candle, reason: CorrectionReason): Candle {
    const revision = (this.revisions.get(keyOf(candle)) ?? 0) + 1;
    const corrected: Candle = { ...candle, revision, reason };
    this.remember(corrected);
    this.sink({ type: 'candle-corrected', candle: corrected });
    return corrected;
  }

  private remember(candle: Candle): void {
    const key = keyOf(candle);
    this.revisions.delete(key);
    this.revisions.set(key, candle.revision);
    if (this.revisions.size <= REVISIONS_KEPT) return;
    for (const oldest of this.revisions.keys()) {
      this.revisions.delete(oldest);
      break;
    }
  }
}

function keyOf(candle: Candle): string {
  return `${candle.interval}:${candle.openTime}`;
}
