// The chart on its canvas: told what to show, tells what the reader points at and looks at. Fetches and decides nothing.
import {
  CandlestickSeries,
  createChartEx,
  HistogramSeries,
  type IChartApiBase,
  type LogicalRange,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';
import { INTERVAL_MS, type Interval } from '../../src/core/market/interval.ts';
import type { CandleRow } from '../../src/protocol/browser.ts';
import { groupThousands, trimDecimal } from '../legend/format-decimal.ts';
import { auditRail } from './audit-rail.ts';
import {
  type CandlePoint,
  candlePoints,
  emptySlot,
  type Gap,
  gapBetween,
  toMs,
  toSeconds,
} from './candle-points.ts';
import { type RowsChange, rowAt } from './candle-rows.ts';
import {
  candleOptions,
  chartOptions,
  priceFormat,
  RIGHT_OFFSET_SLOTS,
  VOLUME_FOOT_SHARE,
  VOLUME_SHARE,
} from './chart-options.ts';
import { chartPointer } from './chart-pointer.ts';
import { type GapInView, gapsInView } from './gaps-in-view.ts';
import { marksPrimitive } from './marks-primitive.ts';
import { PALETTES, type Theme } from './palette.ts';
import { priceDigits, pricePoint, volumePoint } from './series-points.ts';
import { wallClockAxis } from './time-axis.ts';
import type { ZoneOffset } from './wall-clock.ts';

/** What is in view: open times (ms) at its edges, how many slots are left before the first candle, and after the last. */
export interface VisibleRange {
  readonly from: number;
  readonly to: number;
  /** How many slots are in view. */
  readonly slots: number;
  /** Negative where empty space is shown before the first candle. */
  readonly slotsBefore: number;
  /** Negative where empty space is shown after the last candle: its usual place at the live edge. */
  readonly slotsAfter: number;
}

export interface CandleChartOptions {
  readonly container: HTMLElement;
  readonly theme: Theme;
  readonly zone: ZoneOffset;
  readonly interval: Interval;
  /** Open time under the crosshair, ms; undefined when it leaves. */
  readonly onPoint: (openTime: number | undefined) => void;
  readonly onRange: (range: VisibleRange) => void;
}

export interface CandleChart {
  /** Sets all points anew. Where the reader looks stays as it is, unless the interval changed or `isReset`. */
  setRows(rows: readonly CandleRow[], interval: Interval, isReset: boolean): void;
  /** Draws an update: the cheap way, straight to the series. */
  applyChange(before: readonly CandleRow[], change: RowsChange): void;
  /** What the price label says: the newest candle there is, whether or not it is among the rows. */
  setNewest(row: CandleRow | undefined, isHeld: boolean): void;
  /** Puts the crosshair on a candle; undefined takes it away. */
  point(row: CandleRow | undefined): void;
  /** Looks at these open times (ms). */
  lookAt(range: { readonly from: number; readonly to: number }): void;
  /** The gaps that are seen, and the middle of the view, px. */
  gapsInView(): { readonly gaps: readonly GapInView[]; readonly middleX: number };
  /** Whether the reader is dragging it, or it still rolls. */
  isMoving(): boolean;
  /** Goes back to the last candle. */
  lookAtLive(): void;
  setTheme(theme: Theme): void;
  setZone(zone: ZoneOffset): void;
  /** Time left to the last candle's close, as a label on the price axis; empty hides it. */
  setCountdown(text: string): void;
  /** A chart that is not current has a colourless price line. */
  setCurrent(isCurrent: boolean): void;
  /** Decimals of the symbol's prices so far. */
  digits(): number;
  close(): void;
}

/** Empty slots that may be shown before the first candle, also while older ones are on their way. */
const LEFT_SLACK_SLOTS = 3;

/** A space as wide as a digit. */
const FIGURE_SPACE = '\u2007';

/** Builds the chart into its container and follows its size. */
export function candleChart(options: CandleChartOptions): CandleChart {
  let { zone, interval } = options;
  let palette = PALETTES[options.theme];
  let rows: readonly CandleRow[] = [];
  let gaps: readonly Gap[] = [];
  let digits = 0;
  let isCurrent = true;
  let countdown = '';
  let newest: CandleRow | undefined;
  let isNewestHeld = true;

  const chart: IChartApiBase<Time> = createChartEx(
    options.container,
    wallClockAxis(() => ({ interval, zone })),
    chartOptions(palette),
  );
  const candles = chart.addSeries(CandlestickSeries, candleOptions(palette));
  const volumes = chart.addSeries(HistogramSeries, {
    priceFormat: { type: 'volume' },
    lastValueVisible: false,
    priceLineVisible: false,
    // At the candles' feet: a pane of its own doubles the canvases drawn with every trade.
    priceScaleId: '',
  });
  volumes
    .priceScale()
    .applyOptions({ scaleMargins: { top: 1 - VOLUME_SHARE, bottom: VOLUME_FOOT_SHARE } });
  const marks = marksPrimitive(palette);
  candles.attachPrimitive(marks);
  const rail = auditRail(palette);
  candles.attachPrimitive(rail);

  const pointer = chartPointer({
    container: options.container,
    chart,
    series: candles,
    rowAt: (openTime) => rowAt(rows, openTime),
    onPoint: options.onPoint,
  });
  const scale = chart.timeScale();
  scale.subscribeVisibleLogicalRangeChange((range) => {
    if (range !== null && rows.length > 0 && !holdLeftEdge(range)) tellRange(range);
  });

  /** A drag beyond the first candle goes no further than that: true where it was moved back. */
  function holdLeftEdge({ from, to }: LogicalRange): boolean {
    const short = -LEFT_SLACK_SLOTS - from;
    // Fewer candles than places: empty space is where it must be.
    if (short < 0.01 || rows.length < to - from) return false;
    scale.scrollToPosition(scale.scrollPosition() + short, false);
    return true;
  }

  /** Where the rows end within it, as much beside them, so that the scale stays. */
  function lookAt({ from, to }: { readonly from: number; readonly to: number }): void {
    const [first = 0, last = 0] = [rows[0]?.[0], rows.at(-1)?.[0]];
    const slots = Math.min(rows.length, (to - from) / INTERVAL_MS[interval]);
    const end = scale.timeToIndex(toSeconds(last) as UTCTimestamp);
    if (from < first) {
      scale.setVisibleLogicalRange({ from: -LEFT_SLACK_SLOTS, to: slots - LEFT_SLACK_SLOTS });
    } else if (to > last && end !== null) {
      scale.setVisibleLogicalRange({ from: end - slots, to: end });
    } else {
      scale.setVisibleRange({
        from: toSeconds(from) as UTCTimestamp,
        to: toSeconds(to) as UTCTimestamp,
      });
    }
  }

  function tellRange(range: LogicalRange): void {
    const info = candles.barsInLogicalRange(range);
    const first = rows[0];
    const last = rows.at(-1);
    if (info === null || first === undefined || last === undefined) return;
    options.onRange({
      from: typeof info.from === 'number' ? toMs(info.from) : first[0],
      to: typeof info.to === 'number' ? toMs(info.to) : last[0],
      slots: range.to - range.from,
      slotsBefore: info.barsBefore,
      slotsAfter: info.barsAfter,
    });
  }

  function draw(points: readonly CandlePoint[]): void {
    candles.setData(points.map((point) => pricePoint(point, palette)));
    volumes.setData(points.map((point) => volumePoint(point, palette)));
  }

  function drawPoint(point: CandlePoint, isEarlier: boolean): void {
    candles.update(pricePoint(point, palette), isEarlier);
    volumes.update(volumePoint(point, palette), isEarlier);
  }

  /** Away from the live edge the same candles stay in view, whatever comes or goes at either end. */
  function holdView(next: readonly CandleRow[]): (() => void) | undefined {
    const range = scale.getVisibleLogicalRange();
    const anchor = Math.max(rows[0]?.[0] ?? 0, next[0]?.[0] ?? 0);
    const indexOfAnchor = () => scale.timeToIndex(toSeconds(anchor) as UTCTimestamp);
    const before = indexOfAnchor();
    if (range === null || before === null || scale.scrollPosition() >= 0) return undefined;
    return () => {
      const shift = (indexOfAnchor() ?? before) - before;
      scale.setVisibleLogicalRange({ from: range.from + shift, to: range.to + shift });
    };
  }

  function redraw(): void {
    const built = candlePoints(rows, interval);
    rail.setRows(rows, interval);
    gaps = built.gaps;
    draw(built.points);
    showMarks();
  }

  function showMarks(): void {
    const corrected = rows
      .filter((row) => row[12] > 0)
      .map((row) => ({ seconds: toSeconds(row[0]), low: Number(row[3]) }));
    marks.setMarks({ gaps, corrected });
  }

  function showPrice(): void {
    const last = newest;
    if (last === undefined) {
      marks.setPrice(undefined);
      return;
    }
    const price = Number(last[4]);
    const text = groupThousands(trimDecimal(last[4], Math.max(0, digits)));
    const direction = price >= Number(last[1]) ? palette.up : palette.down;
    marks.setPrice({
      price,
      text,
      color: isCurrent ? direction : palette.muted,
      // As wide as the price above it, or the axis' own texts would show beside it.
      countdown: countdown === '' ? '' : countdown.padEnd(text.length, FIGURE_SPACE),
    });
  }

  function widenDigits(newer: readonly CandleRow[]): void {
    const wider = priceDigits(newer, digits);
    if (wider === digits) return;
    digits = wider;
    candles.applyOptions({ priceFormat: priceFormat(digits) });
  }

  function applyTail(before: readonly CandleRow[], tail: readonly CandleRow[]): void {
    let last = before.at(-1);
    for (const row of tail) {
      const missing = last && gapBetween(last, row, interval);
      if (missing !== undefined) {
        gaps = [...gaps, missing.gap];
        for (const openTime of missing.slots) drawPoint(emptySlot(openTime), false);
      }
      drawPoint({ seconds: toSeconds(row[0]), row }, false);
      last = row;
    }
  }

  return {
    setRows(next, nextInterval, isReset) {
      const isOther = isReset || interval !== nextInterval;
      if (isOther) digits = -1;
      interval = nextInterval;
      // Months are labelled all alike or not at all: one of them between years looks like a mistake.
      if (isOther) scale.applyOptions({ uniformDistribution: interval === '1M' });
      const hold = isOther ? undefined : holdView(next);
      rows = next;
      widenDigits(next);
      pointer.whileRowsChange(() => {
        redraw();
        if (isOther) scale.resetTimeScale();
        hold?.();
      });
    },
    applyChange(before, change) {
      rows = change.rows;
      rail.setRows(rows, interval);
      widenDigits([...change.tail, ...change.middle]);
      if (change.isReshaped || before.length === 0) return redraw();
      const gapsBefore = gaps;
      for (const row of change.middle) drawPoint({ seconds: toSeconds(row[0]), row }, true);
      applyTail(before, change.tail);
      if (gaps !== gapsBefore || hasCorrection(change)) showMarks();
    },
    setNewest(row, isHeld) {
      newest = row;
      if (isNewestHeld !== isHeld) {
        isNewestHeld = isHeld;
        // The library draws its line at the last row, which then is an old one.
        candles.applyOptions({ priceLineVisible: isHeld });
      }
      showPrice();
    },
    point: pointer.point,
    lookAt,
    gapsInView: () => ({ gaps: gapsInView(scale, gaps, interval), middleX: scale.width() / 2 }),
    isMoving: pointer.isMoving,
    // Not scrollToRealTime: an update during its animation leaves it short of the last candle.
    lookAtLive: () => scale.scrollToPosition(RIGHT_OFFSET_SLOTS, false),
    setTheme(theme) {
      palette = PALETTES[theme];
      chart.applyOptions(chartOptions(palette));
      candles.applyOptions(candleOptions(palette));
      marks.setPalette(palette);
      rail.setPalette(palette);
      showCurrent();
      const range = scale.getVisibleLogicalRange();
      redraw();
      if (range !== null) scale.setVisibleLogicalRange(range);
    },
    setZone(next) {
      zone = next;
      const range = scale.getVisibleLogicalRange();
      draw([]); // the library weighs marks only of points that are new to it
      redraw();
      chart.applyOptions({ localization: {} });
      if (range !== null) scale.setVisibleLogicalRange(range);
    },
    setCountdown(text) {
      if (countdown === text) return;
      countdown = text;
      showPrice();
    },
    setCurrent(next) {
      if (isCurrent === next) return;
      isCurrent = next;
      showCurrent();
    },
    digits: () => Math.max(0, digits),
    close() {
      pointer.close();
      chart.remove();
    },
  };

  function showCurrent(): void {
    candles.applyOptions({ priceLineColor: isCurrent ? '' : palette.muted });
    showPrice();
  }
}

function hasCorrection({ tail, middle }: RowsChange): boolean {
  return [...tail, ...middle].some((row) => row[12] > 0);
}
