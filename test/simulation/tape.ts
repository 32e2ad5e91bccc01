// The market of a run: history, and the trades of each symbol, with quiet minutes, bursts, and nothing during outages. From the seed alone.
import { MINUTE, SECOND } from '../fake-exchange/calendar.ts';
import { generateHistory, tradeWalk } from '../fake-exchange/generate.ts';
import type { SymbolOptions } from '../fake-exchange/market.ts';
import type { Tape } from '../fake-exchange/streams.ts';
import type { AggTrade } from '../fake-exchange/truth.ts';
import { type Plan, QUIET_SYMBOL, type SymbolPlan } from './plan.ts';
import { type Draw, drawOf } from './random.ts';

export interface SimMarket {
  readonly symbols: readonly SymbolOptions[];
  /** Every trade, those before the product's start too. */
  readonly trades: ReadonlyMap<string, readonly AggTrade[]>;
  /** Those that the exchange still has to send. */
  readonly tape: Tape;
}

/** No trade comes in the last moments of a run: what is open then can be compared. */
const QUIET_END_MS = 5 * SECOND;

/** A burst of so many trades is longer than two pages of REST. */
const BURST_TRADES_MAX = 2_500;

export function makeMarket(plan: Plan): SimMarket {
  const trades = new Map(plan.symbols.map((symbol) => [symbol.symbol, makeTrades(plan, symbol)]));
  const tape = [...trades].map(([symbol, all]) => [symbol, all.filter(({ T }) => T > plan.start)]);
  return {
    symbols: plan.symbols.map((symbol) => symbolOptions(plan, symbol, trades)),
    trades,
    tape: Object.fromEntries(tape),
  };
}

function symbolOptions(
  plan: Plan,
  { symbol, price, tickSize, stepSize }: SymbolPlan,
  trades: ReadonlyMap<string, readonly AggTrade[]>,
): SymbolOptions {
  return {
    symbol,
    tickSize,
    stepSize,
    klines: historyOf({ price, tickSize, stepSize, to: plan.tapeFrom, days: plan.historyDays }),
    trades: trades.get(symbol)?.filter(({ T }) => T <= plan.start) ?? [],
    outages: plan.outages,
  };
}

type History = ReturnType<typeof generateHistory>;

/** Histories differ by little and take long to make: the same one serves many seeds. */
const histories = new Map<string, History>();
const HISTORIES_MAX = 64;

function historyOf(options: Omit<Parameters<typeof generateHistory>[0], 'seed'>): History {
  const key = JSON.stringify(options);
  const known = histories.get(key);
  if (known !== undefined) return known;
  if (histories.size >= HISTORIES_MAX) histories.clear();
  const made = generateHistory({ ...options, seed: 7, minuteDays: 2 });
  histories.set(key, made);
  return made;
}

function makeTrades(plan: Plan, symbol: SymbolPlan): AggTrade[] {
  const draw = drawOf(plan.seed, `trades ${symbol.symbol}`);
  const walk = tradeWalk({ ...symbol, seed: draw.integer(1, 2 ** 31), firstAggTradeId: 1_000 });
  const to = plan.end - QUIET_END_MS;
  // One at least before the start: a symbol with a past has traded.
  const times: number[] = [plan.tapeFrom];
  for (let minute = plan.tapeFrom; minute < to; minute += MINUTE) {
    times.push(...minuteTimes(draw, symbol.tradesPerSecond * 60, minute));
  }
  if (symbol.symbol !== QUIET_SYMBOL) {
    for (const at of plan.bursts) times.push(...burstTimes(draw, at));
  }
  const isOpen = (time: number) =>
    time < to && !plan.outages.some(([from, until]) => from <= time && time < until);
  return times
    .filter(isOpen)
    .sort((one, two) => one - two)
    .map(walk);
}

/** One minute in twenty is empty, one in ten busy; trades come alone or several in a millisecond. */
function minuteTimes(draw: Draw, mean: number, minute: number): number[] {
  const mood = draw.random();
  if (mood < 0.05) return [];
  const wanted = mean * (mood < 0.15 ? 3 : 0.75) * (0.5 + draw.random());
  const count = Math.floor(wanted) + (draw.chance(wanted % 1) ? 1 : 0);
  const times: number[] = [];
  while (times.length < count) {
    // The first and the last millisecond of a minute are where mistakes are made.
    const time =
      minute + draw.pick([draw.integer(0, MINUTE - 1), draw.integer(0, MINUTE - 1), edge(draw)]);
    const together = draw.chance(0.1) ? draw.integer(2, 8) : 1;
    for (let index = 0; index < together && times.length < count; index += 1) times.push(time);
  }
  return times;
}

function edge(draw: Draw): number {
  return draw.chance(0.05)
    ? draw.pick([0, 1, MINUTE - 1, MINUTE - 2])
    : draw.integer(0, MINUTE - 1);
}

function burstTimes(draw: Draw, at: number): number[] {
  const spread = draw.integer(1, 3_000);
  const count = draw.integer(200, BURST_TRADES_MAX);
  return Array.from({ length: count }, () => at + draw.integer(0, spread));
}
