// What is missing in view, offered and fetched: from the chart and the candles held to gap-filler.ts, and back to where the reader was.
import { INTERVAL_MS } from '../../src/core/market/interval.ts';
import type { VisibleRange } from '../chart/candle-chart.ts';
import { type GapFiller, gapFiller, type SeenGaps } from '../history/gap-filler.ts';
import type { Span } from '../history/missing-span.ts';
import type { ViewRange } from '../view/url-state.ts';
import { type Session, zoneOf } from './page-texts.ts';

/** The oldest candle counts as reached with less than this share of a screen left before it. */
const OLDEST_SHARE = 0.25;

export interface FillGaps
  extends Pick<GapFiller, 'card' | 'x' | 'look' | 'act' | 'dismiss' | 'close'> {
  /** The reader asked for this moment, and looks where it would be. */
  jumped(openTime: number): void;
  /** The reader sees something else. */
  moved(visible: VisibleRange): void;
  /** Another view. */
  forget(): void;
}

export function fillGaps(
  session: Session,
  options: {
    readonly visible: () => VisibleRange;
    /** Looks at a moment again, now that there may be a candle. */
    readonly jumpTo: (moment: number) => Promise<void>;
  },
): FillGaps {
  const { signals, candles, link } = session;
  /** Where the view ended once the reader had jumped. */
  let jumpedTo: number | undefined;
  const filler = gapFiller({ base: document.baseURI, seen, onFilled });

  function seen(): SeenGaps | undefined {
    const symbol = signals.symbol.value;
    const { chart } = session;
    if (symbol === undefined || chart === undefined || candles.isEmpty()) return undefined;
    const { slots, slotsBefore } = options.visible();
    const { oldest, hasOlder } = candles.held();
    const isAtEnd = slotsBefore < slots * OLDEST_SHARE && !hasOlder && !signals.isAtLive.value;
    return {
      symbol,
      interval: signals.interval.value,
      zone: zoneOf(signals.zone.value),
      canFetch: signals.canBackfill.value,
      ...chart.gapsInView(),
      oldest: isAtEnd ? oldest : undefined,
      slots,
      now: Math.floor(link.exchangeNow()),
      gapAt: candles.gapAt,
    };
  }

  async function onFilled(filled: Span, sought: number | undefined): Promise<void> {
    if (sought === undefined) return refetch(filled);
    await candles.refetch(around(sought), filled.to);
    return options.jumpTo(sought);
  }

  async function refetch(filled: Span): Promise<void> {
    const isAtLive = signals.isAtLive.value;
    await candles.refetch(held(options.visible(), filled), filled.to);
    if (isAtLive) candles.lookAtLive();
  }

  /** As far in as now; where the gap is wider than it was drawn, one of its ends stays. */
  function held({ from, to, slots }: VisibleRange, filled: Span): ViewRange {
    const widthMs = Math.floor(slots) * INTERVAL_MS[signals.interval.value];
    const isEndSeen = to >= filled.to;
    return isEndSeen ? { from: Math.max(0, to - widthMs), to } : { from, to: from + widthMs };
  }

  function around(moment: number): ViewRange {
    const half = (options.visible().slots / 2) * INTERVAL_MS[signals.interval.value];
    return { from: Math.max(0, moment - half), to: moment + half };
  }

  function forget(): void {
    jumpedTo = undefined;
    filler.seek(undefined);
  }

  return {
    card: filler.card,
    x: filler.x,
    act: filler.act,
    dismiss: filler.dismiss,
    close: filler.close,
    look() {
      jumpedTo ??= options.visible().to;
      filler.look();
    },
    jumped(openTime) {
      // Known a moment later, when the chart has moved.
      jumpedTo = undefined;
      filler.seek(candles.gapAt(openTime) === undefined ? undefined : openTime);
    },
    moved({ from, to }) {
      const isElsewhere = jumpedTo !== undefined && Math.abs(to - jumpedTo) > (to - from) / 2;
      if (isElsewhere) forget();
      else filler.look();
    },
    forget,
  };
}
