// A candle as a row of a database's table of candles and back. The columns' order is written here once, for every database.
import type { Candle, CandleSource, CorrectionReason } from '../core/market/candle.ts';
import type { Decimal } from '../core/market/decimal.ts';
import { closeTimeOf, type Interval } from '../core/market/interval.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import { epochMs } from '../core/market/time.ts';
import { StoreError } from './candle-store.ts';
import { fromScaled, type Scale, type Scales, toScaled } from './scale.ts';
import { checkDigits, parseWide, SCALED_FIELDS, WIDE, wideText } from './scaled-candle.ts';

/** Columns beside the key, in the order of `bindCandle` and `candleOf`. */
export const VALUE_COLUMNS = [
  'open',
  'high',
  'low',
  'close',
  'volume',
  'quote_volume',
  'taker_buy_volume',
  'taker_buy_quote_volume',
  'trades',
  'first_trade_id',
  'last_trade_id',
  'revision',
  'complete',
  'source',
  'reason',
  'wide',
] as const;

/** All of them, in the order of `bindCandle`. */
export const COLUMNS: readonly string[] = ['symbol_id', 'interval', 'open_time', ...VALUE_COLUMNS];

export type SqlInput = number | bigint | string | null;
export type SqlOutput = SqlInput | Uint8Array;

/**
 * Adds the candle's row to `inputs`, in the order of `COLUMNS`. `scales` are wide enough already.
 * @throws StoreError `out-of-range` where a value has more digits than any market's.
 */
export function bindCandle(
  inputs: SqlInput[],
  candle: Candle,
  symbolId: number,
  scales: Scales,
): void {
  inputs.push(symbolId, candle.interval, candle.openTime);
  let wide: Record<string, Decimal> | undefined;
  for (const { field, column, kind } of SCALED_FIELDS) {
    const scaled = toScaled(candle[field], scales[kind]);
    if (scaled === undefined) {
      checkDigits(candle, field);
      wide = { ...wide, [column]: candle[field] };
    }
    inputs.push(scaled ?? WIDE);
  }
  inputs.push(
    candle.trades,
    candle.firstTradeId ?? null,
    candle.lastTradeId ?? null,
    candle.revision,
    candle.complete ? 1 : 0,
    candle.source,
    candle.reason ?? null,
    wide === undefined ? null : wideText(wide),
  );
}

/** A row of `open_time` and `VALUE_COLUMNS`, integers as big ones: a month's volume is beyond 2^53. `complete` is 0 or 1. */
export function candleOf(
  row: readonly SqlOutput[],
  symbol: MarketSymbol,
  interval: Interval,
  scales: Scales,
): Candle {
  const openTime = epochMs(numberOf(row[0]));
  const reason = reasonOf(row[15]);
  const wide = row[16];
  const values = typeof wide === 'string' ? parseWide(wide) : undefined;
  const decimalAt = (index: number, scale: Scale): Decimal =>
    values?.get(VALUE_COLUMNS[index - 1] ?? '') ?? decimalOf(row[index], scale);
  const candle: Candle = {
    symbol,
    interval,
    openTime,
    closeTime: closeTimeOf(interval, openTime),
    open: decimalAt(1, scales.price),
    high: decimalAt(2, scales.price),
    low: decimalAt(3, scales.price),
    close: decimalAt(4, scales.price),
    volume: decimalAt(5, scales.volume),
    quoteVolume: decimalAt(6, scales.quoteVolume),
    trades: numberOf(row[9]),
    takerBuyVolume: decimalAt(7, scales.volume),
    takerBuyQuoteVolume: decimalAt(8, scales.quoteVolume),
    firstTradeId: idOf(row[10]),
    lastTradeId: idOf(row[11]),
    revision: numberOf(row[12]),
    complete: row[13] === 1n,
    source: sourceOf(row[14]),
  };
  return reason === undefined ? candle : { ...candle, reason };
}

function decimalOf(value: SqlOutput | undefined, scale: Scale): Decimal {
  // Never negative: the mark of a wide value has its value elsewhere.
  return typeof value === 'bigint' && value >= 0n
    ? fromScaled(value, scale)
    : unexpected('an integer', value);
}

function numberOf(value: SqlOutput | undefined): number {
  return typeof value === 'bigint' ? Number(value) : unexpected('an integer', value);
}

function idOf(value: SqlOutput | undefined): number | undefined {
  return value === null ? undefined : numberOf(value);
}

function sourceOf(value: SqlOutput | undefined): CandleSource {
  return value === 'trades' || value === 'klines'
    ? value
    : unexpected('a source, trades or klines', value);
}

function reasonOf(value: SqlOutput | undefined): CorrectionReason | undefined {
  switch (value) {
    case null:
      return undefined;
    case 'late-trade':
    case 'repair':
    case 'rolled-up-correction':
    case 'rounding':
      return value;
    default:
      return unexpected('a reason of a correction', value);
  }
}

function unexpected(what: string, value: SqlOutput | undefined): never {
  throw new StoreError(
    'damaged',
    `Expected ${what} in a row of candles, was "${value}": restore a copy of the database, or move it away`,
  );
}
