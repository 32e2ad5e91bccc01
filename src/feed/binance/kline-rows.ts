// The exchange's kline rows as candles. Every field is checked; a row that is none is refused with the reason.
import type { Candle } from '../../core/market/candle.ts';
import { type Decimal, parseDecimal } from '../../core/market/decimal.ts';
import { closeTimeOf, type Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import {
  addMs,
  type DurationMs,
  EPOCH_MS_MAX,
  type EpochMs,
  epochMs,
} from '../../core/market/time.ts';

/** A minute that has been over for so long, by the exchange's clock, is settled where REST does not lag. */
export const KLINE_SETTLE_MS: DurationMs = 10_000;

/**
 * REST lags: a kline counts as closed when a later one came in the same answer. The last one may be of data that end within
 * it, whatever the clock says; so long after its end it counts all the same, for a market may be quiet.
 */
export const KLINE_LAG_MS_MAX: DurationMs = 60_000;

export interface Klines {
  /** Closed candles, ascending, source `klines`. */
  readonly closed: readonly Candle[];
  /** Greatest open time in the answer, of a candle closed or not. */
  readonly lastOpenTime: EpochMs | undefined;
}

interface KlinesOf {
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  /** Exchange's clock. */
  readonly now: EpochMs;
}

/**
 * By hand, not by a schema: a start reads 15,000 rows a symbol while trades flow.
 * @throws Error naming the first row that is no kline or out of order.
 */
export function readKlines(value: unknown, of: KlinesOf): Klines {
  if (!Array.isArray(value)) throw new Error(`Expected a list of klines of ${of.symbol}`);
  const closed: Candle[] = [];
  let lastOpenTime: EpochMs | undefined;
  for (const [index, row] of value.entries()) {
    const candle = readRow(row, of);
    if (candle === undefined || candle.openTime <= (lastOpenTime ?? -1)) {
      throw new Error(
        `Expected ${of.interval} klines of ${of.symbol} in order, was ${JSON.stringify(row).slice(0, 200)}`,
      );
    }
    lastOpenTime = candle.openTime;
    const isFollowed = index < value.length - 1;
    if (isFollowed || addMs(candle.closeTime, KLINE_LAG_MS_MAX) < of.now) closed.push(candle);
  }
  return { closed, lastOpenTime };
}

/** `[openTime,"open","high","low","close","volume",closeTime,"quoteVolume",trades,"takerBase","takerQuote","0"]`. The
 * close time of old rows around outages is odd, and is derived here anyway: not read. */
export function readRow(
  row: unknown,
  { symbol, interval }: Pick<KlinesOf, 'symbol' | 'interval'>,
): Candle | undefined {
  if (!Array.isArray(row)) return undefined;
  const [time, o, h, l, c, v, , q, trades, takerBase, takerQuote] = row;
  const open = readDecimal(o);
  const high = readDecimal(h);
  const low = readDecimal(l);
  const close = readDecimal(c);
  const volume = readDecimal(v);
  const quoteVolume = readDecimal(q);
  const takerBuyVolume = readDecimal(takerBase);
  const takerBuyQuoteVolume = readDecimal(takerQuote);
  if (
    open === undefined ||
    high === undefined ||
    low === undefined ||
    close === undefined ||
    volume === undefined ||
    quoteVolume === undefined ||
    takerBuyVolume === undefined ||
    takerBuyQuoteVolume === undefined ||
    !isCount(trades) ||
    !isCount(time) ||
    time > EPOCH_MS_MAX
  ) {
    return undefined;
  }
  const openTime = epochMs(time);
  const id = trades === 0 ? -1 : undefined;
  return {
    symbol,
    interval,
    openTime,
    closeTime: closeTimeOf(interval, openTime),
    open,
    high,
    low,
    close,
    volume,
    quoteVolume,
    trades,
    takerBuyVolume,
    takerBuyQuoteVolume,
    firstTradeId: id,
    lastTradeId: id,
    revision: 0,
    complete: true,
    source: 'klines',
  };
}

function readDecimal(field: unknown): Decimal | undefined {
  return typeof field === 'string' ? parseDecimal(field) : undefined;
}

function isCount(field: unknown): field is number {
  return typeof field === 'number' && Number.isInteger(field) && field >= 0;
}
