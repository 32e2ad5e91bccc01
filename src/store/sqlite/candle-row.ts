// A candle as a row of the table `candles` and back. The columns' order is written here once.
import type { Candle, CandleSource, CorrectionReason } from '../../core/market/candle.ts';
import { type Decimal, formatDecimal } from '../../core/market/decimal.ts';
import { closeTimeOf, type Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { epochMs } from '../../core/market/time.ts';
import { StoreError } from '../candle-store.ts';
import { fromScaled, type Scale, type ScaledKind, type Scales, toScaled } from './scale.ts';

/** The candle's fields that are scaled integers, with their column and kind. */
export const SCALED_FIELDS = [
  { field: 'open', column: 'open', kind: 'price' },
  { field: 'high', column: 'high', kind: 'price' },
  { field: 'low', column: 'low', kind: 'price' },
  { field: 'close', column: 'close', kind: 'price' },
  { field: 'volume', column: 'volume', kind: 'volume' },
  { field: 'quoteVolume', column: 'quote_volume', kind: 'quoteVolume' },
  { field: 'takerBuyVolume', column: 'taker_buy_volume', kind: 'volume' },
  { field: 'takerBuyQuoteVolume', column: 'taker_buy_quote_volume', kind: 'quoteVolume' },
] as const satisfies readonly { field: keyof Candle; column: string; kind: ScaledKind }[];

type ScaledField = (typeof SCALED_FIELDS)[number]['field'];

/** Columns beside the key, in the order of `bindCandle` and `candleOf`. */
const VALUE_COLUMNS = [
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

const COLUMNS = ['symbol_id', 'interval', 'open_time', ...VALUE_COLUMNS];

export type SqlInput = number | bigint | string | null;
export type SqlOutput = SqlInput | Uint8Array;

/** Writes `rows` candles at once; one already there stays, save where the new revision is higher (I5). */
export function upsertSql(rows: number): string {
  const row = `(${COLUMNS.map(() => '?').join(', ')})`;
  return `
    INSERT INTO candles (${COLUMNS.join(', ')}) VALUES ${Array(rows).fill(row).join(', ')}
    ON CONFLICT (symbol_id, interval, open_time) DO UPDATE SET
      ${VALUE_COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}
    WHERE excluded.revision > candles.revision`;
}

/** Rows for `candleOf`; parameters: symbol_id, interval, from, to, least revision, limit. */
export function selectSql(direction: 'ASC' | 'DESC'): string {
  return `
    SELECT open_time, ${VALUE_COLUMNS.join(', ')} FROM candles
    WHERE symbol_id = ? AND interval = ? AND open_time BETWEEN ? AND ? AND revision >= ?
    ORDER BY open_time ${direction} LIMIT ?`;
}

/**
 * Adds the candle's row to `inputs`, in the order of `upsertSql`. `scales` are wide enough already.
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

/** A row of `selectSql`, read with big integers: a month's volume is beyond 2^53. */
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

function scaledField(candle: Candle, field: ScaledField, scale: Scale): number | bigint {
  const scaled = toScaled(candle[field], scale);
  if (scaled !== undefined) return scaled;
  throw new StoreError(
    'out-of-range',
    `Cannot keep ${field} ${formatDecimal(candle[field])} of ${candle.symbol} ${candle.interval} exactly: at the ${scale} decimal places its digits need, it does not fit 64 bits; leave this interval or symbol out`,
  );
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
    `Expected ${what} in the table "candles", was "${value}": restore a copy of the database, or move it away`,
  );
}
