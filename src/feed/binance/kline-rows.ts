// The exchange's kline rows as candles. Every field is checked; a row that is none is refused with the reason.
import { z } from 'zod';
import type { Candle } from '../../core/market/candle.ts';
import { closeTimeOf, type Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { addMs, type DurationMs, type EpochMs } from '../../core/market/time.ts';
import { decimalField, timeField } from '../../protocol/candle-record.ts';

/**
 * REST lags: a kline counts as closed when a later one came in the same answer, or its window has
 * been over for this long by the exchange's clock.
 */
export const KLINE_SETTLE_MS: DurationMs = 10_000;

const rowsSchema = z.array(
  z
    .tuple([
      timeField,
      decimalField,
      decimalField,
      decimalField,
      decimalField,
      decimalField,
      timeField,
      decimalField,
      z.number().int().min(0),
      decimalField,
      decimalField,
    ])
    .rest(z.unknown()),
);

export interface Klines {
  /** Closed candles, ascending, source `klines`. */
  readonly closed: readonly Candle[];
  /** Greatest open time in the answer, of a candle closed or not. */
  readonly lastOpenTime: EpochMs | undefined;
}

/** @throws Error naming the first field that is none of a kline, or rows out of order. */
export function readKlines(
  value: unknown,
  of: {
    readonly symbol: MarketSymbol;
    readonly interval: Interval;
    /** Exchange's clock. */
    readonly now: EpochMs;
  },
): Klines {
  const rows = rowsSchema.safeParse(value);
  if (!rows.success) {
    const issue = rows.error.issues[0];
    throw new Error(
      `Expected ${of.interval} klines of ${of.symbol} (${issue?.path.join('.')}: ${issue?.message})`,
    );
  }
  const closed: Candle[] = [];
  const lastOpenTime = rows.data.at(-1)?.[0];
  let before = -1;
  for (const row of rows.data) {
    const candle = candleOf(row, of);
    // The close time of old rows around outages is odd, and is derived here anyway: not compared.
    if (candle.openTime <= before) {
      throw new Error(
        `Expected ${of.interval} klines of ${of.symbol} in order, was ${row[0]} after ${before}`,
      );
    }
    before = candle.openTime;
    const isFollowed = candle.openTime !== lastOpenTime;
    if (isFollowed || addMs(candle.closeTime, KLINE_SETTLE_MS) < of.now) closed.push(candle);
  }
  return { closed, lastOpenTime };
}

function candleOf(
  row: z.output<typeof rowsSchema>[number],
  { symbol, interval }: { readonly symbol: MarketSymbol; readonly interval: Interval },
): Candle {
  const [openTime, open, high, low, close, volume, , quoteVolume, trades, buyVolume, buyQuote] =
    row;
  const isEmpty = trades === 0;
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
    takerBuyVolume: buyVolume,
    takerBuyQuoteVolume: buyQuote,
    firstTradeId: isEmpty ? -1 : undefined,
    lastTradeId: isEmpty ? -1 : undefined,
    revision: 0,
    complete: true,
    source: 'klines',
  };
}
