// A candle's decimals as the scaled integers of its row, and the scales a batch needs: what every database's table of candles shares. Touches no database.
import type { Candle } from '../core/market/candle.ts';
import { DECIMAL_PLACES, type Decimal, formatDecimal } from '../core/market/decimal.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import { StoreError } from './candle-store.ts';
import { type Scale, type ScaledKind, type Scales, scaleFor, toScaled } from './scale.ts';

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

export type ScaledField = (typeof SCALED_FIELDS)[number]['field'];

export const SCALED_KINDS: readonly ScaledKind[] = ['price', 'volume', 'quoteVolume'];

/** The column of each kind in the table `symbols`. */
export const SCALE_COLUMNS: Readonly<Record<ScaledKind, string>> = {
  price: 'price_scale',
  volume: 'volume_scale',
  quoteVolume: 'quote_volume_scale',
};

export const NO_SCALES: Scales = { price: 0, volume: 0, quoteVolume: 0 };

/** @throws StoreError `out-of-range` where the value needs more than 64 bits. `scale` is wide enough for its digits. */
export function scaledField(candle: Candle, field: ScaledField, scale: Scale): number | bigint {
  const scaled = toScaled(candle[field], scale);
  if (scaled !== undefined) return scaled;
  throw new StoreError(
    'out-of-range',
    `Cannot keep ${field} ${formatDecimal(candle[field])} of ${candle.symbol} ${candle.interval} exactly: at the ${scale} decimal places its digits need, it does not fit 64 bits; leave this interval or symbol out`,
  );
}

/** By symbol, the least scales for what is kept (`known`) and for `candles`. */
export function neededScales(
  candles: readonly Candle[],
  known: (symbol: MarketSymbol) => Scales | undefined,
): ReadonlyMap<MarketSymbol, Scales> {
  const needed = new Map<MarketSymbol, Record<ScaledKind, Scale>>();
  for (const candle of candles) {
    let scales = needed.get(candle.symbol);
    if (scales === undefined) {
      scales = { ...(known(candle.symbol) ?? NO_SCALES) };
      needed.set(candle.symbol, scales);
    }
    for (const { field, kind } of SCALED_FIELDS) {
      if (scales[kind] < DECIMAL_PLACES) scales[kind] = scaleFor(candle[field], scales[kind]);
    }
  }
  return needed;
}

export function cannotWiden(
  symbol: MarketSymbol,
  field: string,
  kept: Decimal,
  scale: Scale,
): StoreError {
  return new StoreError(
    'out-of-range',
    `Cannot keep ${field} of ${symbol} with ${scale} decimal places: ${formatDecimal(kept)}, already kept, does not fit 64 bits with so many; leave the longest intervals of this symbol out`,
  );
}
