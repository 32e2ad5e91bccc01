// One symbol's candles, folded from its records of `raw_ticks` in their order. A function of those records alone: no clock, no I/O.
// Windows close by the symbol's own records only; a trade creates no empty minute, a watermark or kline does (I2, I4, I5).
// Past 400 lines and yet one thing: every record touches the same open windows, all of them are what a takeover hands on, and splitting
// their state would hide its order.
import type { AggTrade } from '../market/agg-trade.ts';
import type { Candle, LiveCandle } from '../market/candle.ts';
import type { Decimal } from '../market/decimal.ts';
import {
  type Calendar,
  DEFAULT_CALENDAR,
  type Interval,
  nextOpenTime,
  openTimeOf,
} from '../market/interval.ts';
import type { RawTick, SymbolStart, VoidTrade, Watermark } from '../market/raw-tick.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import { addMs, type EpochMs, MINUTE_MS, minuteOf, SECOND_MS } from '../market/time.ts';
import type { AggregationEvent } from './aggregation-event.ts';
import type { AggregationCounts, AggregationSeed } from './aggregation-seed.ts';
import type { AggregationState, ClosedTails, RolledState } from './aggregation-state.ts';
import { CandleAccumulator, QuoteValue } from './candle-accumulator.ts';
import { Corrections, type RollUps } from './corrections.ts';
import { emptyCandle } from './merge-candles.ts';
import { openCandles } from './open-candles.ts';
import { FROM_DAYS, FROM_MINUTES, RollUp } from './roll-up.ts';

export class SymbolAggregation {
  readonly symbol: MarketSymbol;
  readonly counts: AggregationCounts = { folded: 0, duplicates: 0, covered: 0 };
  private calendar: Calendar = DEFAULT_CALENDAR;
  private readonly sink: (event: AggregationEvent) => void;
  private readonly corrections: Corrections;
  private readonly fromMinutes = FROM_MINUTES.map((interval) => new RollUp(interval));
  private readonly fromDays = FROM_DAYS.map((interval) => new RollUp(interval));
  private readonly second = new CandleAccumulator();
  private readonly minute = new CandleAccumulator();
  private readonly quote = new QuoteValue();
  /** −1: no window is open yet. */
  private secondOpenTime = -1;
  private minuteOpenTime = -1;
  private lastAggTradeId = -1;
  /** After klines or a restart the next trade's id may be any above the last. */
  private idMayJump = true;
  private previousClose: Decimal | undefined;
  /** No trade is known to be missing that could have made another close: what is flat at it is right. */
  private previousIsSure = true;
  private minutesFrom: EpochMs | undefined;
  private daysFrom: EpochMs | undefined;
  private eventTime: EpochMs | undefined;
  /** Between the last trade before a hole and the first after it: no window in there is complete. */
  private inHole = false;

  /** `sink` gets every event, in order, before `apply` returns. */
  constructor(symbol: MarketSymbol, sink: (event: AggregationEvent) => void) {
    this.symbol = symbol;
    this.sink = sink;
    this.corrections = new Corrections(symbol, sink);
  }

  /**
   * Goes on from closed candles. Only before the first record. The longer candles that end with the
   * last minute are published (again): a crash may have come between that minute and them.
   */
  restore(seed: AggregationSeed): void {
    this.calendar = { threeDayAnchor: seed.threeDayAnchor };
    this.corrections.restore(seed);
    for (const day of seed.days) for (const rollUp of this.fromDays) rollUp.add(day, this.calendar);
    for (const minute of seed.minutes) {
      for (const rollUp of this.fromMinutes) rollUp.add(minute, this.calendar);
    }
    this.daysFrom = seed.days[0]?.openTime;
    this.minutesFrom = seed.minutes[0]?.openTime;
    const last = seed.minutes.at(-1);
    if (last === undefined) return;
    this.previousClose = last.close;
    this.previousIsSure = last.complete;
    const time = addMs(last.openTime, MINUTE_MS);
    this.openMinute(time);
    this.advance(time);
  }

  apply(tick: RawTick): void {
    switch (tick.type) {
      case 'aggTrade':
        this.trade(tick.trade);
        break;
      case 'void':
        this.isNext(tick.trade);
        break;
      case 'watermark':
        this.watermark(tick.watermark);
        break;
      case 'kline':
        if (tick.candle.reason === 'rounding') this.corrections.round(tick.candle, this.rollUps());
        else if (tick.candle.interval === '1m') this.klineMinute(tick.candle);
        else if (tick.candle.interval === '1d') this.klineDay(tick.candle);
        break;
      case 'symbol':
        this.start(tick.start);
        break;
      case 'repair':
        this.corrections.repair(tick.repair, this.rollUps());
        this.followCorrections();
        break;
    }
  }

  /** The hot path; `trade` is not kept. */
  trade(trade: AggTrade): void {
    const { tradeTime } = trade;
    if (!this.isNext(trade)) return;
    if (this.minuteOpenTime < 0) this.openFirst(tradeTime);
    if (tradeTime < this.secondOpenTime) {
      this.late(trade);
    } else {
      if (tradeTime >= this.secondOpenTime + SECOND_MS) this.moveOn(tradeTime);
      this.quote.set(trade);
      this.second.add(trade, this.quote);
      this.minute.add(trade, this.quote);
      this.eventTime = trade.eventTime;
      this.counts.folded++;
    }
    if (this.inHole) this.leaveHole();
  }

  /** Compares ids: false for a trade counted before; a jump is a hole, and what it touches is not complete. */
  private isNext(trade: VoidTrade): boolean {
    const { aggTradeId, tradeTime } = trade;
    const expected = this.lastAggTradeId + 1;
    if (aggTradeId === expected && !this.idMayJump) {
      this.lastAggTradeId = aggTradeId;
      return true;
    }
    if (aggTradeId < expected) {
      this.counts.duplicates++;
      return false;
    }
    this.lastAggTradeId = aggTradeId;
    if (!this.idMayJump) {
      this.hole(expected, aggTradeId - 1, tradeTime);
      return true;
    }
    if (tradeTime < this.minuteOpenTime) {
      // Before the first minute that is ours to fold: klines or the store have it.
      this.counts.covered++;
      return false;
    }
    this.idMayJump = false;
    return true;
  }

  /** The open candle of each interval of `intervals`; none before there is a price. */
  live(intervals: readonly Interval[]): LiveCandle[] {
    if (this.minuteOpenTime < 0) return [];
    const minuteOpenTime = this.minuteOpenTime as EpochMs;
    const minute = this.open(this.minute, '1m', minuteOpenTime);
    if (minute === undefined) return [];
    const second = this.open(this.second, '1s', this.secondOpenTime as EpochMs);
    const { daysFrom, lastAggTradeId } = this;
    const eventTime = this.eventTime === undefined ? {} : { eventTime: this.eventTime };
    const candles = openCandles({ second, minute, rollUps: this.rollUps(), daysFrom }, intervals);
    return candles.map((candle) => ({ ...candle, closed: false, lastAggTradeId, ...eventTime }));
  }

  /** All it would need to go on from here in another process, but for closed candles. */
  state(): AggregationState {
    const { symbol, lastAggTradeId, idMayJump, inHole, previousClose, previousIsSure } = this;
    const { minutesFrom, daysFrom, eventTime } = this;
    return {
      second: this.second.state(symbol, '1s', this.secondOpenTime),
      minute: this.minute.state(symbol, '1m', this.minuteOpenTime),
      calendar: this.calendar,
      counters: {
        lastAggTradeId,
        idMayJump,
        inHole,
        previousClose,
        previousIsSure,
        minutesFrom,
        daysFrom,
        eventTime,
      },
    };
  }

  /** Changes only when a minute closes, or is corrected, or a start or kline comes. */
  rolledState(): RolledState {
    const rollUps = this.rollUps().rollUps.flatMap((rollUp) => rollUp.state() ?? []);
    return { rollUps, revisions: this.corrections.revisionsKept() };
  }

  /** True between the parts of a repair: those are not part of the state. */
  get isInRepair(): boolean {
    return this.corrections.isInRepair;
  }

  /** Goes on from what another process had. Only before the first record. */
  resume(state: AggregationState, rolled: RolledState, closed: ClosedTails): void {
    const { second, minute, calendar, counters } = state;
    // Fields of this class by their own names.
    Object.assign(this, { ...counters, calendar });
    this.secondOpenTime = second.openTime;
    this.minuteOpenTime = minute.openTime;
    this.second.restore(second);
    this.minute.restore(minute);
    this.corrections.resume(rolled.revisions, closed);
    for (const rollUp of this.rollUps().rollUps) rollUp.resume(rolled.rollUps);
  }

  private open(
    window: CandleAccumulator,
    interval: '1s' | '1m',
    openTime: EpochMs,
  ): Candle | undefined {
    const complete = openTime >= (this.minutesFrom ?? openTime) && !this.inHole;
    if (window.trades > 0) return window.candle(this.symbol, interval, openTime, complete);
    if (this.previousClose === undefined) return undefined;
    const isSure = complete && this.previousIsSure;
    return emptyCandle(this.symbol, interval, openTime, this.previousClose, isSure);
  }

  private start(start: SymbolStart): void {
    const isOtherGrid = start.threeDayAnchor !== this.calendar.threeDayAnchor;
    this.calendar = { threeDayAnchor: start.threeDayAnchor };
    if (this.minuteOpenTime >= 0 && start.minutesFrom > this.minuteOpenTime) this.forget(start);
    if (start.isNewSeries) {
      this.lastAggTradeId = -1;
      this.idMayJump = true;
    }
    const { minutesFrom, daysFrom } = start;
    this.minutesFrom = Math.min(this.minutesFrom ?? minutesFrom, minutesFrom) as EpochMs;
    this.daysFrom = Math.min(this.daysFrom ?? daysFrom, daysFrom) as EpochMs;
    if (isOtherGrid) this.corrections.reRollDays('3d', this.rollUps());
    // A day's first minute has no tiles before it.
    if (this.minuteOpenTime >= 0 || start.previousClose === undefined) return;
    if (start.minutesFrom < start.time) return;
    this.openMinute(start.time);
    this.previousClose = start.previousClose;
    this.previousIsSure = true;
    this.idMayJump = true;
  }

  /** What comes does not reach back to what is open here: the open windows can never be whole, their klines are history. */
  private forget({ minutesFrom, daysFrom }: SymbolStart): void {
    for (const rollUp of [...this.fromMinutes, ...this.fromDays]) rollUp.drop();
    this.minuteOpenTime = this.secondOpenTime = -1;
    this.minute.reset();
    this.second.reset();
    this.idMayJump = true;
    this.minutesFrom = minutesFrom;
    this.daysFrom = daysFrom;
  }

  private watermark(watermark: Watermark): void {
    const { time, aggTradeId } = watermark;
    // Of a time before what is ours to fold: klines or the store have it, and it says nothing of our ids.
    if (time < this.minuteOpenTime) return;
    if (aggTradeId > this.lastAggTradeId) {
      if (!this.idMayJump) this.hole(this.lastAggTradeId + 1, aggTradeId, addMs(time, -1));
      this.lastAggTradeId = aggTradeId;
    }
    this.idMayJump = false;
    if (this.minuteOpenTime < 0) this.openMinute(minuteOf(time));
    else if (time % MINUTE_MS === 0) {
      this.minuteExists(addMs(time, -MINUTE_MS));
      // The hole lies before `time`: the minute that begins there lacks nothing.
      if (time === this.minuteOpenTime) this.inHole = false;
    } else if (minuteOf(time) === this.minuteOpenTime && this.minute.trades > 0) {
      this.closeSeconds(time);
    }
    if (this.inHole) this.leaveHole();
  }

  /** The exchange says that the minute at `openTime` is over and exists, traded or not. */
  private minuteExists(openTime: EpochMs): void {
    if (openTime < this.minuteOpenTime) return;
    if (openTime > this.minuteOpenTime) this.moveTo(openTime);
    this.closeMinute(true);
    const next = addMs(openTime, MINUTE_MS);
    this.openMinute(next);
    this.advance(next);
  }

  /** A closed kline of the exchange: a minute there are no trades for. What was folded of it so far is dropped. */
  private klineMinute(kline: Candle): void {
    // Exact by itself, but its seconds, published before, lack trades: their repair is the minute's.
    const isWhole = !this.corrections.hasIncompleteSecond(kline.openTime);
    const candle = isWhole ? kline : { ...kline, complete: false };
    if (candle.openTime < this.minuteOpenTime) {
      this.corrections.insertMinute(candle, this.rollUps());
      return;
    }
    if (this.minuteOpenTime >= 0 && candle.openTime > this.minuteOpenTime) {
      this.moveTo(candle.openTime);
    }
    this.closed(candle);
    this.openMinute(addMs(candle.openTime, MINUTE_MS));
    this.previousClose = candle.close;
    this.previousIsSure = true;
    this.idMayJump = true;
    this.advance(this.minuteOpenTime as EpochMs);
  }

  private klineDay(candle: Candle): void {
    const newest = this.corrections.days.newestOpenTime();
    if (newest !== undefined && candle.openTime <= newest) {
      this.corrections.insertDay(candle, this.rollUps());
      return;
    }
    this.sink({ type: 'candle-closed', candle });
    this.closedDay(candle);
    this.advanceDays(nextOpenTime('1d', candle.openTime));
  }

  private rollUps(): RollUps {
    return {
      rollUps: [...this.fromMinutes, ...this.fromDays],
      calendar: this.calendar,
      openMinute: this.minuteOpenTime,
      minutesFrom: this.minutesFrom ?? (this.minuteOpenTime as EpochMs),
      daysFrom: this.daysFrom ?? (this.minuteOpenTime as EpochMs),
    };
  }

  private hole(fromId: number, toId: number, until: EpochMs): void {
    const toMinute = minuteOf(until);
    this.inHole = true;
    this.sink({
      type: 'hole',
      symbol: this.symbol,
      fromId,
      toId,
      fromMinute: this.minuteOpenTime < 0 ? toMinute : (this.minuteOpenTime as EpochMs),
      toMinute,
    });
  }

  /** The windows now open lack the trades of the hole just passed. */
  private leaveHole(): void {
    this.inHole = false;
    this.minute.incomplete = this.second.incomplete = true;
  }

  /** Without a start we do not know what came before the first trade of this minute. */
  private openFirst(time: EpochMs): void {
    this.openMinute(minuteOf(time));
    this.minutesFrom ??= addMs(minuteOf(time), MINUTE_MS);
    this.daysFrom ??= nextOpenTime('1d', openTimeOf('1d', time, this.calendar));
  }

  private openMinute(openTime: EpochMs): void {
    this.minuteOpenTime = openTime;
    this.secondOpenTime = openTime;
    this.minute.reset();
    this.second.reset();
  }

  /** To the second that holds `time`, which is past the open one's end. */
  private moveOn(time: EpochMs): void {
    if (time >= this.minuteOpenTime + MINUTE_MS) this.moveTo(time);
    this.closeSeconds(time);
  }

  /** Closes the open minute if it had trades, and opens the one that holds `time`: what lies between is a gap. */
  private moveTo(time: EpochMs): void {
    this.closeMinute(false);
    const openTime = minuteOf(time);
    this.openMinute(openTime);
    this.advance(openTime);
  }

  /** `exists`: the exchange says that this minute exists, even without trades. */
  private closeMinute(exists: boolean): void {
    if (this.minute.trades === 0 && (!exists || this.previousClose === undefined)) return;
    this.closeSeconds((this.minuteOpenTime + MINUTE_MS) as EpochMs);
    const candle = this.open(this.minute, '1m', this.minuteOpenTime as EpochMs);
    if (candle === undefined) return;
    this.previousClose = candle.close;
    this.closed(candle);
  }

  /** Closes the seconds before the one that holds `time`; those without trades are empty candles, for their minute exists. */
  private closeSeconds(time: EpochMs): void {
    const end = time - (time % SECOND_MS);
    while (this.secondOpenTime < end) {
      const candle = this.open(this.second, '1s', this.secondOpenTime as EpochMs);
      if (candle !== undefined) {
        this.previousClose = candle.close;
        if (this.second.trades > 0) this.previousIsSure = !this.second.incomplete;
        if (this.inHole) this.previousIsSure = false;
        // Its repair puts its seconds right, too.
        if (!this.previousIsSure) this.minute.incomplete = true;
        this.corrections.closeSecond(candle);
      }
      this.second.reset();
      this.secondOpenTime += SECOND_MS;
    }
  }

  private closed(minute: Candle): void {
    this.corrections.minutes.put(minute);
    this.sink({ type: 'candle-closed', candle: minute });
    for (const rollUp of this.fromMinutes) rollUp.add(minute, this.calendar);
  }

  private closedDay(day: Candle): void {
    this.corrections.days.put(day);
    for (const rollUp of this.fromDays) rollUp.add(day, this.calendar);
  }

  /** Closes every longer window whose end is at or before `time`. */
  private advance(time: EpochMs): void {
    for (const rollUp of this.fromMinutes) {
      const candle = rollUp.closedBy(time, this.minutesFrom ?? time);
      if (candle === undefined) continue;
      this.sink({ type: 'candle-closed', candle: this.corrections.asRevised(candle) });
      if (rollUp.interval === '1d' && this.corrections.days.get(candle.openTime) === undefined) {
        this.closedDay(candle);
      }
    }
    this.advanceDays(time);
  }

  private advanceDays(time: EpochMs): void {
    for (const rollUp of this.fromDays) {
      const candle = rollUp.closedBy(time, this.daysFrom ?? time);
      if (candle === undefined) continue;
      this.sink({ type: 'candle-closed', candle: this.corrections.asRevised(candle) });
    }
  }

  /** A trade in id order whose second is over: that candle, and what is rolled up from it, is corrected. */
  private late(trade: AggTrade): void {
    this.quote.set(trade);
    if (trade.tradeTime >= this.minuteOpenTime) {
      this.minute.add(trade, this.quote);
      this.corrections.lateInSecond(trade, this.quote);
      this.follow(this.corrections.before('1s', this.secondOpenTime as EpochMs));
      this.counts.folded++;
    } else if (this.corrections.late(trade, this.quote, this.rollUps()) === 'covered') {
      this.counts.covered++;
    } else {
      this.counts.folded++;
      this.followCorrections();
    }
  }

  /** The newest closed minute may have another close now: the empty windows to come are flat at that. */
  private followCorrections(): void {
    if (this.minute.trades > 0 || this.minuteOpenTime < 0) return;
    const openTime = this.minuteOpenTime as EpochMs;
    this.follow(this.corrections.before('1m', openTime));
  }

  private follow(corrected: Candle | undefined): void {
    if (corrected === undefined) return;
    this.previousClose = corrected.close;
    this.previousIsSure = corrected.complete;
  }
}
