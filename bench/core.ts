// Trades folded a second on one core: exact, all 16 intervals; and from a frame's bytes to the candle, beside JSON.parse and floats.
// Run: npm run bench:core
import { SymbolAggregation } from '../src/core/aggregation/symbol-aggregation.ts';
import type { AggTrade } from '../src/core/market/agg-trade.ts';
import { marketSymbol } from '../src/core/market/symbol.ts';
import { encodeAggTrade } from '../src/protocol/agg-trade-record.ts';
import { AggTradeScanner } from '../src/protocol/agg-trade-scanner.ts';
import { machineLine, median } from './machine.ts';

const TRADES = 400_000;
const ROUNDS = 7;
/** A busy day: about 90 trades a second, several at one moment. */
const STEPS_MS = [0, 0, 0, 1, 3, 7, 12, 20, 40];

const SYMBOL = marketSymbol('BTCUSDT');

function makeTrades(): AggTrade[] {
  let random = 42;
  const next = (below: number): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((random / 2 ** 32) * below);
  };
  let time = Date.UTC(2026, 0, 1);
  let cents = 8_764_821;
  let tradeId = 5_723_703_861;
  const trades: AggTrade[] = [];
  for (let index = 0; index < TRADES; index++) {
    time += STEPS_MS[next(STEPS_MS.length)] ?? 0;
    cents += next(21) - 10;
    const count = 1 + next(3);
    trades.push({
      symbol: SYMBOL,
      aggTradeId: 3_800_397_495 + index,
      priceInteger: Math.floor(cents / 100),
      priceFraction: (cents % 100) * 1_000_000,
      quantityInteger: next(10) === 0 ? next(3) : 0,
      quantityFraction: (1 + next(99_999)) * 1_000,
      firstTradeId: tradeId,
      lastTradeId: tradeId + count - 1,
      tradeTime: time as AggTrade['tradeTime'],
      eventTime: (time + 1) as AggTrade['eventTime'],
      buyerIsMaker: next(2) === 0,
    });
    tradeId += count;
  }
  return trades;
}

/** The plain way: floats, an object a trade, one window at a time for 1s and 1m. */
class FloatCandles {
  closed = 0;
  private readonly windows = [1_000, 60_000].map((lengthMs) => ({
    lengthMs,
    candle: undefined as FloatCandle | undefined,
  }));

  add(frame: Buffer): void {
    const { data } = JSON.parse(frame.toString());
    const price = Number.parseFloat(data.p);
    const quantity = Number.parseFloat(data.q);
    for (const window of this.windows) {
      const openTime = data.T - (data.T % window.lengthMs);
      let candle = window.candle;
      if (candle === undefined || candle.openTime !== openTime) {
        if (candle !== undefined) this.closed++;
        candle = {
          openTime,
          open: price,
          high: price,
          low: price,
          close: price,
          volume: 0,
          quoteVolume: 0,
          trades: 0,
          takerBuyVolume: 0,
          takerBuyQuoteVolume: 0,
        };
        window.candle = candle;
      }
      candle.high = Math.max(candle.high, price);
      candle.low = Math.min(candle.low, price);
      candle.close = price;
      candle.volume += quantity;
      candle.quoteVolume += price * quantity;
      candle.trades += data.l - data.f + 1;
      if (!data.m) {
        candle.takerBuyVolume += quantity;
        candle.takerBuyQuoteVolume += price * quantity;
      }
    }
  }
}

interface FloatCandle {
  openTime: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  quoteVolume: number;
  trades: number;
  takerBuyVolume: number;
  takerBuyQuoteVolume: number;
}

function foldExact(trades: readonly AggTrade[]): number {
  let closed = 0;
  const aggregation = new SymbolAggregation(SYMBOL, () => closed++);
  for (const trade of trades) aggregation.trade(trade);
  return closed;
}

function framesExact(frames: readonly Buffer[]): number {
  let closed = 0;
  const scanner = new AggTradeScanner();
  const aggregation = new SymbolAggregation(SYMBOL, () => closed++);
  for (const frame of frames) {
    if (!scanner.scanFrame(frame)) throw new Error(`Expected a frame of the known form: ${frame}`);
    aggregation.trade(scanner.trade);
  }
  return closed;
}

function framesFloat(frames: readonly Buffer[]): number {
  const candles = new FloatCandles();
  for (const frame of frames) candles.add(frame);
  return candles.closed;
}

/** Million trades a second of each way, taken in turn, so that a disturbed machine disturbs all alike. */
function measure(ways: Readonly<Record<string, () => number>>): void {
  const rates = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, run] of Object.entries(ways)) {
      const before = process.hrtime.bigint();
      run();
      const seconds = Number(process.hrtime.bigint() - before) / 1e9;
      if (round > 0) rates.get(name)?.push(TRADES / seconds / 1e6);
    }
  }
  for (const [name, each] of rates) {
    const sorted = [...each].sort((a, b) => a - b);
    console.log(
      `${name.padEnd(34)} ${sorted[0]?.toFixed(2)} / ${median(each).toFixed(2)} / ${sorted.at(-1)?.toFixed(2)} M/s`,
    );
  }
  const exact = median(rates.get('frame → exact candles') ?? []);
  const floats = median(rates.get('frame → JSON.parse, floats') ?? []);
  console.log(`exact : floats, from the frame = ${(exact / floats).toFixed(2)}`);
}

const trades = makeTrades();
const frames = trades.map((trade) =>
  Buffer.from(
    `{"stream":"btcusdt@aggTrade","data":${encodeAggTrade(trade).slice(0, -1)},"M":true}}`,
  ),
);
console.log(machineLine());
console.log(`${TRADES} trades, ${ROUNDS} rounds after one to warm up: min / median / max`);
measure({
  'trade → exact candles': () => foldExact(trades),
  'frame → exact candles': () => framesExact(frames),
  'frame → JSON.parse, floats': () => framesFloat(frames),
});
