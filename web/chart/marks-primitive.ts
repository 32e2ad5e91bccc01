// Drawn over the candles: bands where windows are missing, dots under corrected candles. Only what is in view is drawn.
import type {
  IPrimitivePaneView,
  ISeriesPrimitive,
  ISeriesPrimitiveAxisView,
  Logical,
  SeriesAttachedParameter,
  Time,
  UTCTimestamp,
} from 'lightweight-charts';
import type { Gap } from './candle-points.ts';
import type { Palette } from './palette.ts';
import { spanText } from './wall-clock.ts';

type DrawTarget = Parameters<NonNullable<ReturnType<IPrimitivePaneView['renderer']>>['draw']>[0];

/** Bands and dots kept, newest first; older ones are not drawn. */
export const MARKS_MAX = 500;

const STRIPE_PX = 7;
const LABEL_WIDTH_MIN_PX = 72;
const LABEL_BOTTOM_PX = 40;
const DOT_RADIUS_PX = 2;
const DOT_DISTANCE_PX = 7;

export interface Marks {
  readonly gaps: readonly Gap[];
  /** Candles with a revision above 0: their time and the price under which the dot goes. */
  readonly corrected: readonly { readonly seconds: number; readonly low: number }[];
}

/** On the price axis: the last price, which the library would show of the last candle in view, and under it a line. */
export interface PriceLabel {
  readonly price: number;
  readonly text: string;
  readonly color: string;
  /** Time left to the candle's close; empty where nothing is counted. */
  readonly countdown: string;
}

export interface MarksPrimitive extends ISeriesPrimitive<Time> {
  setMarks(marks: Marks): void;
  setPalette(palette: Palette): void;
  /** Undefined hides it. */
  setPrice(label: PriceLabel | undefined): void;
}

export function marksPrimitive(initial: Palette): MarksPrimitive {
  let palette = initial;
  let marks: Marks = { gaps: [], corrected: [] };
  let price: PriceLabel | undefined;
  let attached: SeriesAttachedParameter<Time> | undefined;

  const drawBands = (target: DrawTarget) => {
    if (attached !== undefined) bands(target, attached, marks.gaps, palette);
  };
  const drawDots = (target: DrawTarget) => {
    if (attached !== undefined) dots(target, attached, marks, palette);
  };
  const bandRenderer = { draw: drawBands };
  const dotRenderer = { draw: drawDots };
  const views: readonly IPrimitivePaneView[] = [
    { zOrder: () => 'bottom', renderer: () => bandRenderer },
    { zOrder: () => 'top', renderer: () => dotRenderer },
  ];
  const coordinate = () => {
    const y = price && attached?.series.priceToCoordinate(price.price);
    return y === undefined || y === null ? -100 : y;
  };
  const axisViews: readonly ISeriesPrimitiveAxisView[] = [
    {
      coordinate,
      text: () => price?.text ?? '',
      textColor: () => '#ffffff',
      backColor: () => price?.color ?? palette.muted,
      visible: () => price !== undefined,
    },
    {
      // The library moves labels that overlap apart: this one comes to lie just under the price.
      coordinate: () => coordinate() + 1,
      text: () => price?.countdown ?? '',
      textColor: () => price?.color ?? palette.muted,
      backColor: () => palette.background,
      visible: () => price !== undefined && price.countdown !== '',
      tickVisible: () => false,
    },
  ];
  return {
    attached: (parameter) => {
      attached = parameter;
    },
    detached: () => {
      attached = undefined;
    },
    paneViews: () => views,
    priceAxisViews: () => axisViews,
    setMarks(next) {
      marks = {
        gaps: next.gaps.slice(-MARKS_MAX),
        corrected: next.corrected.slice(-MARKS_MAX),
      };
      attached?.requestUpdate();
    },
    setPalette(next) {
      palette = next;
      attached?.requestUpdate();
    },
    setPrice(next) {
      price = next;
      attached?.requestUpdate();
    },
  };
}

function bands(
  target: DrawTarget,
  { chart }: SeriesAttachedParameter<Time>,
  gaps: readonly Gap[],
  palette: Palette,
): void {
  const scale = chart.timeScale();
  const slot = slotWidth(
    scale.logicalToCoordinate(0 as Logical),
    scale.logicalToCoordinate(1 as Logical),
  );
  target.useMediaCoordinateSpace(({ context, mediaSize }) => {
    for (const gap of gaps) {
      const left = scale.timeToCoordinate(gap.afterSeconds as UTCTimestamp);
      const right = scale.timeToCoordinate(gap.beforeSeconds as UTCTimestamp);
      if (left === null || right === null || right < 0 || left > mediaSize.width) continue;
      const from = left + slot / 2;
      const width = right - slot / 2 - from;
      context.save();
      context.beginPath();
      context.rect(from, 0, width, mediaSize.height);
      context.clip();
      context.strokeStyle = palette.gap;
      context.lineWidth = 2;
      context.beginPath();
      for (let x = from - mediaSize.height; x < from + width; x += STRIPE_PX) {
        context.moveTo(x, mediaSize.height);
        context.lineTo(x + mediaSize.height, 0);
      }
      context.stroke();
      context.restore();
      if (width >= LABEL_WIDTH_MIN_PX) {
        const middle = from + width / 2;
        const height = mediaSize.height - LABEL_BOTTOM_PX;
        context.fillStyle = palette.background;
        context.fillRect(middle - LABEL_WIDTH_MIN_PX / 2, height - 18, LABEL_WIDTH_MIN_PX, 34);
        context.fillStyle = palette.gapText;
        context.font = `11px ${chart.options().layout.fontFamily}`;
        context.textAlign = 'center';
        context.fillText('no candles', middle, height - 4);
        context.fillText(spanText(gap.durationMs), middle, height + 10);
      }
    }
  });
}

function dots(
  target: DrawTarget,
  { chart, series }: SeriesAttachedParameter<Time>,
  { corrected }: Marks,
  palette: Palette,
): void {
  const scale = chart.timeScale();
  target.useMediaCoordinateSpace(({ context }) => {
    context.fillStyle = palette.corrected;
    for (const mark of corrected) {
      const x = scale.timeToCoordinate(mark.seconds as UTCTimestamp);
      const y = series.priceToCoordinate(mark.low);
      if (x === null || y === null) continue;
      context.beginPath();
      context.arc(x, y + DOT_DISTANCE_PX, DOT_RADIUS_PX, 0, 2 * Math.PI);
      context.fill();
    }
  });
}

function slotWidth(first: number | null, second: number | null): number {
  return first === null || second === null ? 0 : second - first;
}
