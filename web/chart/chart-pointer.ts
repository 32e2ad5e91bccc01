// Pointing at a candle by mouse, finger or keyboard: all three move the same crosshair. Knows nothing of what is then said.
import type { IChartApiBase, ISeriesApi, SeriesType, Time, UTCTimestamp } from 'lightweight-charts';
import type { CandleRow } from '../../src/protocol/browser.ts';
import { toMs, toSeconds } from './candle-points.ts';

/** A chart let go of rolls on for about so long. */
const ROLL_MS = 1_000;
/** Slots kept between a candle that is pointed at by keyboard and the edge of the view. */
const EDGE_SLOTS = 2;

export interface ChartPointer {
  /** Puts the crosshair on a candle's close, moving the view where it is out of it; undefined takes it away. */
  point(row: CandleRow | undefined): void;
  /** Whether a button or finger is down, or was so recently that the chart may still roll. */
  isMoving(): boolean;
  /** `act` sets all rows anew: what is pointed at and gone with them is pointed at no longer. */
  whileRowsChange(act: () => void): void;
  close(): void;
}

export function chartPointer(options: {
  readonly container: HTMLElement;
  readonly chart: IChartApiBase<Time>;
  readonly series: ISeriesApi<SeriesType, Time>;
  readonly rowAt: (openTime: number) => CandleRow | undefined;
  /** Open time under the crosshair, ms; undefined when it leaves. */
  readonly onPoint: (openTime: number | undefined) => void;
}): ChartPointer {
  const { container, chart, series, rowAt, onPoint } = options;
  let isTouch = false;
  let isDown = false;
  let isChanging = false;
  let upAt = Number.NEGATIVE_INFINITY;
  const release = (event: PointerEvent) => {
    isDown = false;
    upAt = event.pointerType === 'touch' ? event.timeStamp : Number.NEGATIVE_INFINITY;
  };
  // Captured, so also where it ends outside of the chart.
  const closing = new AbortController();
  const { signal } = closing;
  for (const end of ['pointerup', 'pointercancel'] as const) {
    addEventListener(end, release, { capture: true, signal });
  }
  /** Pointed at by keyboard, finger or link: stays until the mouse is really moved. */
  let held: CandleRow | undefined;
  // Before the library's own listeners: the click it makes of a tap does not say that it was one.
  container.addEventListener(
    'pointerdown',
    (event) => {
      isTouch = event.pointerType === 'touch';
      isDown = true;
    },
    { capture: true },
  );
  container.addEventListener(
    'pointermove',
    (event) => {
      if (event.movementX !== 0 || event.movementY !== 0) held = undefined;
    },
    { capture: true },
  );
  chart.subscribeCrosshairMove(({ time }) => {
    if (isChanging) return;
    if (held !== undefined) {
      // A mouse that rests over the chart moves to where it is with each change of the page.
      setCrosshair(held);
      return;
    }
    onPoint(typeof time === 'number' ? toMs(time) : undefined);
  });
  chart.subscribeClick(({ time }) => {
    if (isTouch) point(typeof time === 'number' ? rowAt(toMs(time)) : undefined);
  });

  function setCrosshair(row: CandleRow): void {
    chart.setCrosshairPosition(Number(row[4]), toSeconds(row[0]) as UTCTimestamp, series);
  }

  function whileRowsChange(act: () => void): void {
    // Between the old rows and the new the library has no price to put a crosshair at, and throws.
    isChanging = true;
    act();
    isChanging = false;
    if (held !== undefined && rowAt(held[0]) === undefined) held = undefined;
  }

  function point(row: CandleRow | undefined): void {
    held = row;
    if (row === undefined) {
      chart.clearCrosshairPosition();
      onPoint(undefined);
      return;
    }
    show(toSeconds(row[0]) as UTCTimestamp);
    setCrosshair(row);
    onPoint(row[0]);
  }

  function show(time: UTCTimestamp): void {
    const scale = chart.timeScale();
    const index = scale.timeToIndex(time);
    const range = scale.getVisibleLogicalRange();
    if (index === null || range === null) return;
    const before = range.from + EDGE_SLOTS - index;
    const after = index + EDGE_SLOTS - range.to;
    if (before > 0) scale.scrollToPosition(scale.scrollPosition() - before, false);
    else if (after > 0) scale.scrollToPosition(scale.scrollPosition() + after, false);
  }

  return {
    point,
    whileRowsChange,
    isMoving: () => isDown || performance.now() - upAt < ROLL_MS,
    close: () => closing.abort(),
  };
}
