// A candle as a row of a database's table of candles and back. The columns' order is written here once, for every database.
import type { Candle, CandleSource, CorrectionReason } from '../core/market/candle.ts';
import type { Decimal } from '../core/market/decimal.ts';
import { closeTimeOf, type Interval } from '../core/market/interval.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import { epochMs } from '../core/market/time.ts';
import { StoreError } from './candle-store.ts';
import { fromScaled, type Scale, type Scales } from './scale.ts';
import { scaledField } from './scaled-candle.ts';

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
] as const;

/** All of them, in the order of `bindCandle`. */
export const COLUMNS: readonly string[] = ['symbol_id', 'interval', 'open_time', ...VALUE_COLUMNS];

export type SqlInput = number | bigint | string | null;
export type SqlOutput = SqlInput | Uint8Array;

/**
 * Adds the candle's row to `inputs`, in the order of `COLUMNS`. `scales` are wide enough already.
 * @throws StoreError `out-of-range` where a value needs more than 64 bits.
 */
export function bindCandle(
  inputs: SqlInput[],
  candle: Candle,
  symbolId: number,
  scales: Scales,
): void {
  inputs.push(
    symbolId,
    candle.interval,
    candle.openTime,
    scaledField(candle, 'open', scales.price),
    scaledField(candle, 'high', scales.price),
    scaledField(candle, 'low', scales.price),
    scaledField(candle, 'close', scales.price),
    scaledField(candle, 'volume', scales.volume),
    scaledField(candle, 'quoteVolume', scales.quoteVolume),
    scaledField(candle, 'takerBuyVolume', scales.volume),
    scaledField(candle, 'takerBuyQuoteVolume', scales.quoteVolume),
    candle.trades,
    candle.firstTradeId ?? null,
    candle.lastTradeId ?? null,
    candle.revision,
    candle.complete ? 1 : 0,
    candle.source,
    candle.reason ?? null,
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
  const candle: Candle = {
    symbol,
    interval,
    openTime,
    closeTime: closeTimeOf(interval, openTime),
    open: decimalOf(row[1], scales.price),
    high: decimalOf(row[2], scales.price),
    low: decimalOf(row[3], scales.price),
    close: decimalOf(row[4], scales.price),
    volume: decimalOf(row[5], scales.volume),
    quoteVolume: decimalOf(row[6], scales.quoteVolume),
    trades: numberOf(row[9]),
    takerBuyVolume: decimalOf(row[7], scales.volume),
    takerBuyQuoteVolume: decimalOf(row[8], scales.quoteVolume),
    firstTradeId: idOf(row[10]),
    lastTradeId: idOf(row[11]),
    revision: numberOf(row[12]),
    complete: row[13] === 1n,
    source: sourceOf(row[14]),
  };
  return reason === undefined ? candle : { ...candle, reason };
}

function decimalOf(value: SqlOutput | undefined, scale: Scale): Decimal {
  return typeof value === 'bigint' ? fromScaled(value, scale) : unexpected('an integer', value);
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
