// Everything the page's texts hang on, as signals: a tick changes texts, never the tree. Holds no logic.
import { signal } from '@preact/signals';
import { INTERVALS, type Interval } from '../../src/core/market/interval.ts';
import type { AuditDay, StatusView } from '../../src/protocol/browser.ts';
import type { VerdictView } from '../audit/verdict-view.ts';
import type { Theme } from '../chart/palette.ts';
import { type Legend, NO_LEGEND } from '../legend/legend-fields.ts';
import { type PageStatus, pageStatus } from '../status/page-status.ts';
import type { ZoneChoice } from '../view/preferences.ts';

export interface PriceView {
  /** The last close as the exchange writes it, zeros trimmed to the symbol's places. */
  readonly text: string;
  readonly direction: 'up' | 'down' | 'flat';
  /** The last candle's change. */
  readonly change: string;
}

export const NO_PRICE: PriceView = { text: '', direction: 'flat', change: '' };

export function dashboardSignals(view: {
  readonly symbol: string | undefined;
  readonly interval: Interval;
  readonly theme: Theme;
  readonly zone: ZoneChoice;
}) {
  return {
    symbol: signal(view.symbol),
    interval: signal(view.interval),
    theme: signal(view.theme),
    zone: signal(view.zone),
    symbols: signal<readonly string[]>([]),
    intervals: signal<readonly Interval[]>(INTERVALS),
    version: signal(''),
    /** Whether the server can fetch what is missing. */
    canBackfill: signal(false),
    status: signal<StatusView | undefined>(undefined),
    page: signal<PageStatus>(
      pageStatus({
        status: undefined,
        isServerLost: false,
        lastHeardAt: undefined,
        symbol: undefined,
      }),
    ),
    notices: signal<readonly string[]>([]),
    legend: signal<Legend>(NO_LEGEND),
    /** On the legend's candle; undefined on intervals that are not audited. */
    verdict: signal<VerdictView | undefined>(undefined),
    /** The symbol's newest day; undefined until the server has said. */
    audit: signal<AuditDay | undefined>(undefined),
    /** For screen readers: the candle pointed at by keyboard. */
    spoken: signal(''),
    price: signal<PriceView>(NO_PRICE),
    countdown: signal(''),
    delay: signal(''),
    updateAge: signal(''),
    isAtLive: signal(true),
    isLoadingOlder: signal(false),
    /** `waiting`: no snapshot yet; `empty`: the store has no candle of this view yet. */
    fill: signal<'waiting' | 'empty' | 'filled'>('waiting'),
  };
}

export type DashboardSignals = ReturnType<typeof dashboardSignals>;
