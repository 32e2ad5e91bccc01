// Load for benchmarks: generated trades in real time, at a rate, evenly or in bursts. Bounded: what
// a stalled process could not send in time is skipped and counted, never sent in one flood.
import { type TradeWalk, tradeWalk } from './generate.ts';
import type { Market } from './market.ts';
import { seededRandom } from './random.ts';
import type { AggTrade } from './truth.ts';

export interface LoadOptions {
  /** Default: all symbols of the exchange. */
  readonly symbols?: readonly string[];
  /** Over all symbols together. */
  readonly tradesPerSecond: number;
  readonly seed: number;
  /** Default `even`. `bursts`: the same mean, most of it in short bursts. */
  readonly shape?: 'even' | 'bursts';
  /** First price of symbols without a history. Default 90,000. */
  readonly price?: string;
}

export interface Load {
  /** Trades sent so far. */
  readonly sent: number;
  /** Trades left out because the process was too slow. */
  readonly skipped: number;
  stop(): void;
}

export interface LoadTarget {
  readonly market: Market;
  readonly now: () => number;
  readonly publish: (symbol: string, trades: readonly AggTrade[]) => void;
}

const BATCH_MS = 4;

/** At most so much time's worth of trades in one batch. */
const CATCH_UP_MS_MAX = 250;

/** How far back a symbol's last trade is looked for among its klines. */
const MINUTES_BACK = 60;

const BURST_CHANCE = 0.02;
const BURST_FACTOR = 30;
const CALM_FACTOR = (1 - BURST_CHANCE * BURST_FACTOR) / (1 - BURST_CHANCE);

export function startLoad(options: LoadOptions & LoadTarget): Load {
  const { market, now, tradesPerSecond } = options;
  const symbols = options.symbols ?? market.symbols().map((state) => state.options.symbol);
  const walks = new Map(
    symbols.map((symbol, index) => [symbol, walkOn(options, symbol, index, now())]),
  );
  const random = seededRandom(options.seed);
  let [sent, skipped, owed, turn] = [0, 0, 0, 0];
  let last = performance.now();

  function factor(): number {
    if (options.shape !== 'bursts') return 1;
    return random() < BURST_CHANCE ? BURST_FACTOR : CALM_FACTOR;
  }

  function send(): void {
    const at = performance.now();
    const elapsed = at - last;
    last = at;
    const wanted = (Math.min(elapsed, CATCH_UP_MS_MAX) / 1_000) * tradesPerSecond;
    skipped += Math.floor((Math.max(0, elapsed - CATCH_UP_MS_MAX) / 1_000) * tradesPerSecond);
    owed += wanted * factor();
    const count = Math.floor(owed);
    owed -= count;
    const time = now();
    const batches = new Map<string, AggTrade[]>();
    for (let index = 0; index < count; index += 1) {
      const symbol = symbols[turn++ % symbols.length] ?? '';
      const trade = walks.get(symbol)?.(time);
      if (trade === undefined) continue;
      const batch = batches.get(symbol);
      if (batch) batch.push(trade);
      else batches.set(symbol, [trade]);
    }
    for (const [symbol, trades] of batches) options.publish(symbol, trades);
    sent += count;
  }

  const timer = setInterval(send, BATCH_MS);
  return {
    get sent() {
      return sent;
    },
    get skipped() {
      return skipped;
    },
    stop: () => clearInterval(timer),
  };
}

/** A walk that goes on where the symbol's trades or klines end. */
function walkOn(
  { market, seed, price }: LoadOptions & LoadTarget,
  symbol: string,
  index: number,
  now: number,
): TradeWalk {
  const state = market.find(symbol);
  if (state === undefined) throw new RangeError(`Expected a symbol, was "${symbol}"`);
  const { trades, options } = state;
  const last = trades.length > 0 ? trades.at(trades.length - 1) : undefined;
  // The newest minute may be open and empty: it has no ids.
  const candles = market.candles(symbol, '1m', { limit: MINUTES_BACK }, now);
  const candle = candles.findLast(({ lastTradeId }) => lastTradeId >= 0);
  const lastTradeId = last?.l ?? candle?.lastTradeId;
  return tradeWalk({
    seed: seed + index,
    price: last?.p ?? candles.at(-1)?.close ?? price ?? '90000',
    tickSize: options.tickSize ?? '0.01',
    stepSize: options.stepSize ?? '0.00001',
    firstAggTradeId: (last?.a ?? 0) + 1,
    ...(lastTradeId === undefined ? {} : { firstTradeId: lastTradeId + 1 }),
  });
}
