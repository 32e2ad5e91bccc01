// A candle row as the two points the chart draws. The only place where decimals become floats: for pixels alone.
import type {
  CandlestickData,
  HistogramData,
  UTCTimestamp,
  WhitespaceData,
} from 'lightweight-charts';
import { type CandleRow, ROW_COMPLETE } from '../../src/protocol/browser.ts';
import type { CandlePoint } from './candle-points.ts';
import type { Palette } from './palette.ts';

export type PricePoint = CandlestickData<UTCTimestamp> | WhitespaceData<UTCTimestamp>;
export type VolumePoint = HistogramData<UTCTimestamp> | WhitespaceData<UTCTimestamp>;

/** The candle; one whose trades are not all there has a border and a pale body of its own colour. */
export function pricePoint({ seconds, row }: CandlePoint, palette: Palette): PricePoint {
  const time = seconds as UTCTimestamp;
  if (row === undefined) return { time };
  const point = {
    time,
    open: Number(row[1]),
    high: Number(row[2]),
    low: Number(row[3]),
    close: Number(row[4]),
  };
  if (isComplete(row)) return point;
  return {
    ...point,
    color: palette.incompleteBody,
    borderColor: palette.incomplete,
    wickColor: palette.incomplete,
  };
}

export function volumePoint({ seconds, row }: CandlePoint, palette: Palette): VolumePoint {
  const time = seconds as UTCTimestamp;
  if (row === undefined) return { time };
  const isUp = Number(row[4]) >= Number(row[1]);
  return { time, value: Number(row[5]), color: isUp ? palette.upVolume : palette.downVolume };
}

export function isComplete(row: CandleRow): boolean {
  return (row[13] & ROW_COMPLETE) !== 0;
}

/** Most decimals with a meaning among the rows' prices: `0.00001234` has 8, `90241.10` has 1. */
export function priceDigits(rows: readonly CandleRow[], atLeast = 0): number {
  let digits = atLeast;
  for (const row of rows) {
    for (const price of [row[1], row[2], row[3], row[4]]) {
      if (digits < decimalsOf(price)) digits = decimalsOf(price);
    }
  }
  return digits;
}

function decimalsOf(text: string): number {
  const point = text.indexOf('.');
  if (point < 0) return 0;
  let end = text.length;
  while (text[end - 1] === '0') end--;
  return end - point - 1;
}
