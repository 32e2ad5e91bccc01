// An aggregate trade as a row of a database's table of trades and back. Each row carries its own scales: of millions of rows none is ever rewritten.
import type { AggTrade } from '../core/market/agg-trade.ts';
import { DECIMAL_ONE, type Decimal, decimalOf, formatDecimal } from '../core/market/decimal.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import { epochMs } from '../core/market/time.ts';
import type { SqlInput, SqlOutput } from './candle-row.ts';
import { StoreError } from './candle-store.ts';
import { fromScaled, scaleFor, toScaled } from './scale.ts';

/** Columns beside `symbol_id`, in the order of `bindTrade` and `tradeOf`. */
export const TRADE_VALUE_COLUMNS = [
  'agg_trade_id',
  'trade_time',
  'price',
  'price_scale',
  'quantity',
  'quantity_scale',
  'first_trade_id',
  'last_trade_id',
  'buyer_is_maker',
] as const;

/** All of them, in the order of `bindTrade`. */
export const TRADE_COLUMNS: readonly string[] = ['symbol_id', ...TRADE_VALUE_COLUMNS];

/**
 * Adds the trade's row to `inputs`, in the order of `TRADE_COLUMNS`.
 * @throws StoreError `out-of-range` where price or quantity has more digits than 64 bits hold: as no market has.
 */
export function bindTrade(inputs: SqlInput[], trade: AggTrade, symbolId: number): void {
  inputs.push(symbolId, trade.aggTradeId, trade.tradeTime);
  bindAmount(inputs, trade, 'price', decimalOf(trade.priceInteger, trade.priceFraction));
  bindAmount(inputs, trade, 'quantity', decimalOf(trade.quantityInteger, trade.quantityFraction));
  inputs.push(trade.firstTradeId, trade.lastTradeId, trade.buyerIsMaker ? 1 : 0);
}

/** A row of `TRADE_VALUE_COLUMNS`, integers as big ones, `buyer_is_maker` as 0 or 1. */
export function tradeOf(row: readonly SqlOutput[], symbol: MarketSymbol): AggTrade {
  const [id, time, price, priceScale, quantity, quantityScale, first, last, buyerIsMaker] = row;
  const exactPrice = amountOf(price, priceScale);
  const exactQuantity = amountOf(quantity, quantityScale);
  const tradeTime = epochMs(Number(integer(time)));
  return {
    symbol,
    aggTradeId: Number(integer(id)),
    priceInteger: Number(exactPrice / DECIMAL_ONE),
    priceFraction: Number(exactPrice % DECIMAL_ONE),
    quantityInteger: Number(exactQuantity / DECIMAL_ONE),
    quantityFraction: Number(exactQuantity % DECIMAL_ONE),
    firstTradeId: Number(integer(first)),
    lastTradeId: Number(integer(last)),
    tradeTime,
    eventTime: tradeTime,
    buyerIsMaker: integer(buyerIsMaker) === 1n,
  };
}

function bindAmount(inputs: SqlInput[], trade: AggTrade, field: string, value: Decimal): void {
  const scale = scaleFor(value, 0);
  const scaled = toScaled(value, scale);
  if (scaled === undefined) {
    throw new StoreError(
      'out-of-range',
      `Cannot keep ${field} ${formatDecimal(value)} of ${trade.symbol}'s trade ${trade.aggTradeId}: it has more digits than 64 bits hold, as no market has; leave this symbol out`,
    );
  }
  inputs.push(scaled, scale);
}

function amountOf(value: SqlOutput | undefined, scale: SqlOutput | undefined): Decimal {
  return fromScaled(integer(value), Number(integer(scale)));
}

function integer(value: SqlOutput | undefined): bigint {
  if (typeof value === 'bigint') return value;
  throw new StoreError(
    'damaged',
    `Expected an integer in a row of trades, was "${value}": restore a copy of the database, or move it away`,
  );
}
