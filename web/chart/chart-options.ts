// How the chart looks: the library's options for a palette. The licence's attribution is the link in the status strip.
import {
  type CandlestickSeriesPartialOptions,
  type ChartOptionsBase,
  ColorType,
  CrosshairMode,
  type DeepPartial,
  LineStyle,
  type PriceFormatCustom,
} from 'lightweight-charts';
import { groupThousands } from '../legend/format-decimal.ts';
import type { Palette } from './palette.ts';

const FONT =
  "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Noto Sans', sans-serif";

/** Height of the highest volume column; the candles stay above it. */
export const VOLUME_SHARE = 0.16;

/** Free below the columns: the audit's row of marks. */
export const VOLUME_FOOT_SHARE = 0.02;

/** Empty slots between the last candle and the price axis. */
export const RIGHT_OFFSET_SLOTS = 6;

export function chartOptions(palette: Palette): DeepPartial<ChartOptionsBase> {
  const line = {
    color: palette.crosshair,
    style: LineStyle.Dashed,
    width: 1 as const,
    labelBackgroundColor: palette.crosshairLabel,
  };
  return {
    autoSize: true,
    layout: {
      background: { type: ColorType.Solid, color: palette.background },
      textColor: palette.text,
      fontFamily: FONT,
      fontSize: 11,
      // The library's logo brings an inline style, which the page's CSP refuses.
      attributionLogo: false,
      panes: { separatorColor: palette.separator, separatorHoverColor: palette.grid },
    },
    grid: { vertLines: { color: palette.grid }, horzLines: { color: palette.grid } },
    crosshair: { mode: CrosshairMode.Normal, vertLine: line, horzLine: line },
    rightPriceScale: {
      borderVisible: false,
      scaleMargins: { top: 0.14, bottom: VOLUME_SHARE + 0.03 },
    },
    timeScale: {
      borderColor: palette.separator,
      timeVisible: true,
      secondsVisible: true,
      barSpacing: 8,
      minBarSpacing: 1,
      rightOffset: RIGHT_OFFSET_SLOTS,
      lockVisibleTimeRangeOnResize: true,
    },
  };
}

export function candleOptions(palette: Palette): CandlestickSeriesPartialOptions {
  return {
    upColor: palette.up,
    downColor: palette.down,
    borderUpColor: palette.up,
    borderDownColor: palette.down,
    wickUpColor: palette.up,
    wickDownColor: palette.down,
    lastValueVisible: false, // marks-primitive.ts has a label of its own
    priceLineStyle: LineStyle.Dotted,
    priceLineWidth: 1,
  };
}

/** How the price axis writes: as many decimals as the symbol's prices have, thousands grouped. */
export function priceFormat(digits: number): PriceFormatCustom {
  return {
    type: 'custom',
    minMove: Number(`1e-${digits}`),
    formatter: (price: number) => groupThousands(price.toFixed(digits)),
  };
}
