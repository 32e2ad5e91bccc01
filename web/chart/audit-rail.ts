// The audit's mark of each candle, in a row at the chart's foot: a quiet tick for verified, a shape of its own for each other verdict.
import type {
  IPrimitivePaneView,
  ISeriesPrimitive,
  SeriesAttachedParameter,
  Time,
  UTCTimestamp,
} from 'lightweight-charts';
import type { Interval } from '../../src/core/market/interval.ts';
import type { CandleRow } from '../../src/protocol/browser.ts';
import { type Standing, standingOf } from '../audit/verdict.ts';
import { toMs, toSeconds } from './candle-points.ts';
import { indexAtOrAfter } from './candle-rows.ts';
import type { Palette } from './palette.ts';

const TICK_HEIGHT_PX = 2;
const TICK_SHARE = 0.7;
/** Ticks of narrower candles touch: the row becomes a line. */
const TOUCHING_SLOT_PX = 3;
const FROM_FOOT_PX = 3;
const SHAPE_RADIUS_PX = 5;
/** Between a shape's middle and the chart's foot. */
const SHAPE_FROM_FOOT_PX = 8;

export interface AuditRail extends ISeriesPrimitive<Time> {
  /** Ascending. Nothing is drawn for intervals that are not audited. */
  setRows(rows: readonly CandleRow[], interval: Interval): void;
  setPalette(palette: Palette): void;
}

type DrawTarget = Parameters<NonNullable<ReturnType<IPrimitivePaneView['renderer']>>['draw']>[0];

interface Mark {
  readonly x: number;
  /** Of the candle's low. */
  readonly lowY: number | null;
  readonly standing: Standing;
}

export function auditRail(initial: Palette): AuditRail {
  let palette = initial;
  let rows: readonly CandleRow[] = [];
  let interval: Interval = '1m';
  let attached: SeriesAttachedParameter<Time> | undefined;

  const draw = (target: DrawTarget) => {
    if (attached === undefined || interval !== '1m') return;
    const { marks, slot } = marksInView(attached, rows, interval);
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      drawTicks(context, { marks, slot, height: mediaSize.height, palette });
      for (const mark of marks) drawShape(context, mark, mediaSize.height, palette);
    });
  };
  const renderer = { draw };
  const views: readonly IPrimitivePaneView[] = [{ zOrder: () => 'top', renderer: () => renderer }];
  return {
    attached: (parameter) => {
      attached = parameter;
    },
    detached: () => {
      attached = undefined;
    },
    paneViews: () => views,
    setRows(next, nextInterval) {
      rows = next;
      interval = nextInterval;
    },
    setPalette(next) {
      palette = next;
      attached?.requestUpdate();
    },
  };
}

function marksInView(
  { chart, series }: SeriesAttachedParameter<Time>,
  rows: readonly CandleRow[],
  interval: Interval,
): { readonly marks: readonly Mark[]; readonly slot: number } {
  const scale = chart.timeScale();
  const slot = scale.options().barSpacing;
  const range = scale.getVisibleRange();
  if (range === null || typeof range.from !== 'number' || typeof range.to !== 'number') {
    return { marks: [], slot };
  }
  const marks: Mark[] = [];
  const last = toMs(range.to);
  for (let at = indexAtOrAfter(rows, toMs(range.from)); at < rows.length; at++) {
    const row = rows[at];
    if (row === undefined || row[0] > last) break;
    const standing = standingOf(row, interval);
    const x = scale.timeToCoordinate(toSeconds(row[0]) as UTCTimestamp);
    if (standing === undefined || x === null) continue;
    const lowY = standing === 'differs' ? series.priceToCoordinate(Number(row[3])) : null;
    marks.push({ x, lowY, standing });
  }
  return { marks, slot };
}

function drawTicks(
  context: CanvasRenderingContext2D,
  row: {
    readonly marks: readonly Mark[];
    readonly slot: number;
    readonly height: number;
    readonly palette: Palette;
  },
): void {
  const { marks, slot, height, palette } = row;
  const width = slot < TOUCHING_SLOT_PX ? slot : slot * TICK_SHARE;
  context.fillStyle = palette.verified;
  for (const { x, standing } of marks) {
    if (standing !== 'verified') continue;
    context.fillRect(x - width / 2, height - FROM_FOOT_PX - TICK_HEIGHT_PX, width, TICK_HEIGHT_PX);
  }
}

/** Repaired: a diamond. Differs: a triangle, tied to its candle. Unverified: a ring. Told apart without their colours. */
function drawShape(
  context: CanvasRenderingContext2D,
  { x, lowY, standing }: Mark,
  height: number,
  palette: Palette,
): void {
  const y = height - SHAPE_FROM_FOOT_PX;
  const r = SHAPE_RADIUS_PX;
  if (standing !== 'repaired' && standing !== 'differs' && standing !== 'unverified') return;
  context.save();
  context.lineJoin = 'round';
  if (standing === 'differs' && lowY !== null) {
    context.strokeStyle = palette.differs;
    context.setLineDash([2, 3]);
    context.beginPath();
    context.moveTo(x, Math.min(lowY + 4, y - r));
    context.lineTo(x, y - r);
    context.stroke();
    context.setLineDash([]);
  }
  context.beginPath();
  if (standing === 'unverified') context.arc(x, y, r - 1, 0, 2 * Math.PI);
  else if (standing === 'repaired') polygon(context, [x, y - r, x + r, y, x, y + r, x - r, y]);
  else polygon(context, [x, y - r - 1, x + r + 1, y + r, x - r - 1, y + r]);
  // Off from the volume behind it.
  context.strokeStyle = palette.background;
  context.lineWidth = 4;
  context.stroke();
  context.fillStyle = standing === 'unverified' ? palette.background : palette[standing];
  context.fill();
  if (standing === 'unverified') {
    context.strokeStyle = palette.unverified;
    context.lineWidth = 2;
    context.stroke();
  }
  context.restore();
}

function polygon(context: CanvasRenderingContext2D, points: readonly number[]): void {
  for (let at = 0; at + 1 < points.length; at += 2) {
    const [x = 0, y = 0] = points.slice(at, at + 2);
    if (at === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  }
  context.closePath();
}
