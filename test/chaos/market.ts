// The market of a chaos run: busy, calm, rounding and quiet symbols, their past, and their trades around a midnight at which
// all 16 intervals close. Seeded; keeps no clock.
import { DAY, MINUTE } from '../fake-exchange/calendar.ts';
import type { SymbolOptions, Tape } from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades, tradeWalk } from '../fake-exchange/generate.ts';
import { seededRandom } from '../fake-exchange/random.ts';
import type { AggTrade } from '../fake-exchange/truth.ts';

/** A Monday, the first of a month, and a whole number of three days after `FIRST_DAY`. */
const MIDNIGHT = Date.UTC(2026, 5, 1);
const HISTORY_DAYS = 38;
const FIRST_DAY = MIDNIGHT - (HISTORY_DAYS + 1) * DAY;
/** Days of 1m klines; hours and days reach back further. */
const MINUTE_DAYS = 2;

/** Of the run before midnight. */
const LEAD_MS = 40_000;
/** Minutes before midnight with trades; those of before the run are known to REST, and not sent. */
const EARLIER_MINUTES = 5;
const FIRST_AGG_TRADE_ID = 1_000;

interface Listed {
  readonly symbol: string;
  readonly price: string;
  readonly tickSize: string;
  readonly stepSize: string;
  readonly tradesPerSecond: number;
}

const LISTED: readonly Listed[] = [
  {
    symbol: 'BTCUSDT',
    price: '90000',
    tickSize: '0.01000000',
    stepSize: '0.00001000',
    tradesPerSecond: 100,
  },
  {
    symbol: 'ETHUSDT',
    price: '3000',
    tickSize: '0.01000000',
    stepSize: '0.00010000',
    tradesPerSecond: 30,
  },
  // Price and quantity have nine decimals together: each trade's quote value is truncated.
  {
    symbol: 'ETHBTC',
    price: '0.03512',
    tickSize: '0.00001000',
    stepSize: '0.00010000',
    tradesPerSecond: 8,
  },
  // A trade in some minutes, none at all in some runs.
  {
    symbol: 'QUIETUSDT',
    price: '1.25',
    tickSize: '0.00010000',
    stepSize: '0.10000000',
    tradesPerSecond: 0.03,
  },
];

export interface ChaosMarket {
  readonly symbols: readonly SymbolOptions[];
  readonly names: readonly string[];
  readonly tape: Tape;
  readonly trades: number;
  /** Of the trades that are sent (ms); `to` is a minute's end. */
  readonly from: number;
  readonly to: number;
}

/** From less than a minute before midnight until `minutes` after it. */
export function chaosMarket(seed: number, minutes: number): ChaosMarket {
  const from = MIDNIGHT - LEAD_MS;
  const to = MIDNIGHT + minutes * MINUTE;
  const made = LISTED.map((listed, index) => {
    const { symbol, tickSize, stepSize } = listed;
    const began = MIDNIGHT - EARLIER_MINUTES * MINUTE;
    const options = { ...listed, seed: seed * 100 + index, firstAggTradeId: FIRST_AGG_TRADE_ID };
    const trades = tradesOf({ ...options, from: began, to });
    const klines = generateHistory({
      ...options,
      to: began,
      days: HISTORY_DAYS,
      minuteDays: MINUTE_DAYS,
    });
    const earlier = trades.filter(({ T }) => T < from);
    const live = trades.filter(({ T }) => T >= from);
    return {
      options: { symbol, tickSize, stepSize, klines, trades: earlier, onboardTime: FIRST_DAY },
      live,
    };
  });
  return {
    symbols: made.map(({ options }) => options),
    names: LISTED.map(({ symbol }) => symbol),
    tape: Object.fromEntries(made.map(({ options, live }) => [options.symbol, live])),
    trades: made.reduce((sum, { live }) => sum + live.length, 0),
    from,
    to,
  };
}

/** The quiet one has traded once before, and then at any time. */
function tradesOf(options: Listed & Parameters<typeof generateTrades>[0]): AggTrade[] {
  const { from, to, seed, tradesPerSecond } = options;
  if (tradesPerSecond >= 1) return generateTrades(options);
  const random = seededRandom(seed);
  const count = Math.round(((to - from) / 1_000) * tradesPerSecond * 2 * random());
  const times = Array.from({ length: count }, () => Math.floor(from + random() * (to - from)));
  return [from, ...times.sort((one, two) => one - two)].map(tradeWalk(options));
}
