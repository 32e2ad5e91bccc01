// One symbol of the simulated exchange: its candle and its trades of any minute since its listing. Reads no clock; knows nothing of feeds.
import type { Calendar } from '../../core/market/interval.ts';
import { addMs, DAY_MS, type EpochMs, MINUTE_MS, SECOND_MS } from '../../core/market/time.ts';
import { type DayPlan, dayPlan } from './day-plan.ts';
import type { Listing } from './listing.ts';
import { addLots, emptyLotCandle, type LotCandle, minuteLotCandle } from './lot-candle.ts';
import { minuteSteps } from './minute-steps.ts';
import { type LotTrade, minuteTrades } from './minute-trades.ts';
import { DAY_MINUTES } from './price-path.ts';

export interface SimulatedSymbol {
  readonly listing: Listing;
  readonly calendar: Calendar;
  /** `previousClose`, in ticks: what a minute without trades is at; `closeBefore` finds it. */
  minute(openTime: EpochMs, previousClose: number): LotCandle;
  /** In id order, `tradeTime` ascending. They fold to the minute's candle. */
  trades(openTime: EpochMs): Iterable<LotTrade>;
  /** The minute's 60 one-second candles, ascending, empty ones included. */
  seconds(openTime: EpochMs, previousClose: number): LotCandle[];
  /** Price of the last trade before `openTime`, in ticks; of the market's first minute: its price there. */
  closeBefore(openTime: EpochMs): number;
  /** Id of the first aggregate trade at or after `time`, the start of a minute. */
  nextAggTradeId(time: EpochMs): number;
}

/** Outlines of days kept: today's, yesterday's. One is 46 kB. */
const DAY_PLANS_MAX = 2;

/** Every `openTime` is a minute's, at or after the listing. Pure but for the outlines kept. */
export function simulatedSymbol(listing: Listing): SimulatedSymbol {
  const plans: DayPlan[] = [];
  const planOf = (time: EpochMs): DayPlan => {
    const day = Math.floor(time / DAY_MS);
    const kept = plans.find((plan) => plan.day === day);
    if (kept !== undefined) return kept;
    const plan = dayPlan(listing, day);
    plans.unshift(plan);
    plans.length = Math.min(plans.length, DAY_PLANS_MAX);
    return plan;
  };
  const steps = minuteSteps();

  const nextAggTradeId = (time: EpochMs): number => idAt(planOf(time), minuteOfDay(time));
  const minute = (openTime: EpochMs, previousClose: number): LotCandle =>
    minuteLotCandle(
      steps,
      listing,
      planOf(openTime),
      minuteOfDay(openTime),
      openTime,
      previousClose,
    );
  const trades = (openTime: EpochMs): Iterable<LotTrade> =>
    minuteTrades(listing, planOf(openTime), minuteOfDay(openTime), openTime);

  const closeBefore = (openTime: EpochMs): number => {
    for (let before = addMs(openTime, -MINUTE_MS); before >= listing.listedOn; ) {
      const plan = planOf(before);
      const index = minuteOfDay(before);
      if (idAt(plan, index + 1) > idAt(plan, index)) return minute(before, 0).close;
      before = addMs(before, -MINUTE_MS);
    }
    return Math.round(planOf(listing.listedOn).price[0] ?? 1);
  };

  return {
    listing,
    calendar: { threeDayAnchor: listing.listedOn },
    minute,
    trades,
    closeBefore,
    nextAggTradeId,
    seconds: (openTime, previousClose) =>
      secondsOf(trades(openTime), openTime, previousClose, nextAggTradeId(openTime)),
  };
}

function secondsOf(
  trades: Iterable<LotTrade>,
  openTime: EpochMs,
  previousClose: number,
  firstAggTradeId: number,
): LotCandle[] {
  const end = openTime + MINUTE_MS;
  let second = emptyLotCandle(openTime, previousClose, firstAggTradeId);
  const seconds = [second];
  const goTo = (time: number): void => {
    while (second.openTime + SECOND_MS <= time) {
      const next = addMs(second.openTime, SECOND_MS);
      second = emptyLotCandle(next, second.close, second.nextAggTradeId);
      seconds.push(second);
    }
  };
  for (const trade of trades) {
    goTo(trade.tradeTime);
    addLots(second, trade.price, trade.lots, trade.isBuy, 1);
  }
  goTo(end - SECOND_MS);
  return seconds;
}

function minuteOfDay(time: EpochMs): number {
  return Math.floor((time % DAY_MS) / MINUTE_MS);
}

function idAt(plan: DayPlan, minute: number): number {
  return plan.nextAggTradeId[Math.min(minute, DAY_MINUTES)] ?? 0;
}
