// The page's wiring: link, candles, chart, address and signals. What to decide is in the pure modules around it.
import {
  DEFAULT_CALENDAR,
  INTERVAL_MS,
  type Interval,
  openTimeOf,
} from '../../src/core/market/interval.ts';
import { epochMs } from '../../src/core/market/time.ts';
import type { AuditSummary, CandleRow } from '../../src/protocol/browser.ts';
import { auditLookup } from '../audit/audit-lookup.ts';
import { fetchAudit, fetchSummary } from '../audit/fetch-audit.ts';
import { candleChart, type VisibleRange } from '../chart/candle-chart.ts';
import type { Theme } from '../chart/palette.ts';
import { NO_LEGEND } from '../legend/legend-fields.ts';
import { delayMeter } from '../status/delay-meter.ts';
import { storeTheme, storeZone, type ZoneChoice } from '../view/preferences.ts';
import { type SymbolWishes, symbolWishes } from '../view/symbol-wishes.ts';
import type { UrlView, ViewRange } from '../view/url-state.ts';
import { addressBar } from './address-bar.ts';
import { viewProbe } from './bench-probe.ts';
import { candleView } from './candle-view.ts';
import { fetchCandlePage } from './fetch-page.ts';
import { type FillGaps, fillGaps } from './fill-gaps.ts';
import { listen, notify, watch } from './listen.ts';
import { type Session, showCandleTexts, showStatus, showTimeTexts, zoneOf } from './page-texts.ts';
import { openServerLink } from './server-link.ts';
import { type DashboardSignals, NO_PRICE } from './signals.ts';

/** Candles in view, as long as that is not known. */
const SLOTS_DEFAULT = 160;
/** What is shown on either side of a minute that was asked for. */
const LOOK_HALF_MS = 45 * 60_000;
const TICK_MS = 250;
/** Texts that follow trades change at most so often: faster nobody reads, and each change costs a layout. */
const TEXTS_MS = 80;

export interface DashboardOptions {
  readonly signals: DashboardSignals;
  readonly url: UrlView;
  /** Epoch ms by the page's clock, which never jumps. */
  readonly now: () => number;
  readonly random: () => number;
}

export interface Dashboard {
  readonly signals: DashboardSignals;
  /** Builds the chart into its place on the page. */
  mount(container: HTMLElement): void;
  chooseSymbol(symbol: string): void;
  chooseInterval(interval: Interval): void;
  chooseTheme(theme: Theme): void;
  chooseZone(zone: ZoneChoice): void;
  lookAtLive(): void;
  /** Points at the candle so many after the one pointed at, else after the last. */
  pointBy(steps: number): void;
  pointAtNothing(): void;
  /** The keyboard is elsewhere: takes away what was pointed at by it. */
  endWalk(): void;
  /** Looks at a moment, as far in or out as now, and points at the candle that holds it; where nothing is that old, at the oldest. */
  jumpTo(moment: number): Promise<void>;
  /** The moment in the middle of what is in view, ms. */
  middleOfView(): number;
  /** Looks at a minute, at 1m, and points at it. */
  lookAtMinute(openTime: number): Promise<void>;
  /**
   * How the audit of the symbol in view stands on a day.
   * @throws Error whose message can be shown.
   */
  fetchAudits(day: number, signal: AbortSignal): Promise<AuditSummary>;
  /** The exchange's time now, ms. */
  exchangeNow(): number;
  /** Symbols added and removed while running. */
  readonly wishes: SymbolWishes;
  /** What is missing in view, and the offer to fetch it. */
  readonly gaps: Pick<FillGaps, 'card' | 'x' | 'act' | 'dismiss'>;
  dismissNotices(): void;
  close(): void;
}

/** Connects at once; the chart is drawn when it is mounted and the first candles have come. */
export function createDashboard(options: DashboardOptions): Dashboard {
  const { signals, now } = options;
  signals.notices.value = options.url.faults;
  const requestFrame = oncePerFrame(() => showCandleTexts(session));
  const requestSoon = atMostEvery(TEXTS_MS, requestFrame);
  let range: ViewRange | undefined;
  let shownSymbol: string | undefined;
  let inView: VisibleRange = {
    from: 0,
    to: 0,
    slots: SLOTS_DEFAULT,
    slotsBefore: 1,
    slotsAfter: 0,
  };
  const address = addressBar(() => {
    const symbol = signals.symbol.value;
    return symbol === undefined ? undefined : { symbol, interval: signals.interval.value, range };
  });
  const session: Session = {
    signals,
    candles: openCandles(options),
    link: openServerLink({
      base: document.baseURI,
      now,
      random: options.random,
      onMessage: (message) => hear(message),
    }),
    meter: delayMeter(),
    lookup: auditLookup({
      fetch: (minute, signal) => fetchAudit(document.baseURI, minute, signal),
      onAnswer: () => requestFrame(),
    }),
    now,
    chart: undefined,
    pointedAt: undefined,
    updatedAt: undefined,
    isSpoken: false,
  };
  const { candles, link } = session;
  const gaps = fillGaps(session, { visible: () => inView, jumpTo });

  function showView(symbol: string | undefined, interval: Interval, look?: ViewRange): void {
    signals.symbol.value = symbol;
    signals.interval.value = interval;
    signals.fill.value = 'waiting';
    signals.price.value = NO_PRICE;
    signals.legend.value = NO_LEGEND;
    signals.verdict.value = undefined;
    signals.spoken.value = '';
    if (symbol !== shownSymbol) signals.audit.value = undefined;
    shownSymbol = symbol;
    signals.isAtLive.value = true;
    range = look;
    session.pointedAt = undefined;
    session.updatedAt = undefined;
    candles.reset(interval, look);
    gaps.forget();
    watch(session);
    showStatus(session);
    address.saveSoon();
  }

  const wishes = symbolWishes({
    base: document.baseURI,
    onAdded: (symbol) => showView(symbol, signals.interval.value),
  });
  const linkedRange = options.url.range;
  const hear = listen(session, {
    linkedRange,
    showView,
    requestFrame,
    requestSoon,
    onListed: wishes.listed,
  });

  function onRange(visible: VisibleRange): void {
    inView = visible;
    const isAtLive = candles.isLive() && visible.slotsAfter < 1;
    range = isAtLive ? undefined : { from: visible.from, to: visible.to };
    signals.isAtLive.value = isAtLive;
    candles.looked(visible);
    gaps.moved(visible);
    address.saveSoon();
  }

  function onPoint(openTime: number | undefined): void {
    session.pointedAt = openTime;
    session.isSpoken = false;
    requestFrame();
  }

  /** By keyboard: what is pointed at is also said. */
  function pointAt(row: CandleRow | undefined): void {
    session.chart?.point(row);
    session.isSpoken = row !== undefined;
    if (row === undefined) signals.spoken.value = '';
    requestFrame();
  }

  async function pointIn(look: ViewRange, openTime: number): Promise<void> {
    const row = await candles.lookAt(look, openTime);
    // The chart moves with its next frame; pointed at before, the candle would be brought to an edge.
    await new Promise(requestAnimationFrame);
    pointAt(row);
  }

  async function jumpTo(moment: number): Promise<void> {
    const interval = signals.interval.value;
    const openTime = openTimeOf(interval, epochMs(Math.floor(moment)), DEFAULT_CALENDAR);
    const half = (inView.slots / 2) * INTERVAL_MS[interval];
    const look = { from: Math.max(0, openTime - half), to: openTime + half };
    await pointIn(look, openTime);
    gaps.jumped(openTime);
  }

  viewProbe(location.search, () => ({
    viewFrom: inView.from,
    viewTo: inView.to,
    slots: inView.slots,
    ...candles.held(),
  }));
  const stopTimers = keepTime(session, gaps.look);
  return {
    signals,
    mount(container) {
      const theme = signals.theme.value;
      const zone = zoneOf(signals.zone.value);
      const interval = signals.interval.value;
      session.chart = candleChart({ container, theme, zone, interval, onRange, onPoint });
      candles.attach(session.chart);
    },
    chooseSymbol: (symbol) => showView(symbol, signals.interval.value),
    chooseInterval: (interval) => showView(signals.symbol.value, interval),
    chooseTheme(theme) {
      signals.theme.value = theme;
      storeTheme(theme);
      session.chart?.setTheme(theme);
    },
    chooseZone(zone) {
      signals.zone.value = zone;
      storeZone(zone);
      session.chart?.setZone(zoneOf(zone));
      requestFrame();
    },
    lookAtLive: () => {
      gaps.forget();
      candles.lookAtLive();
    },
    pointBy: (steps) => pointAt(candles.neighbour(session.pointedAt, steps)),
    pointAtNothing: () => pointAt(undefined),
    endWalk() {
      if (session.isSpoken) pointAt(undefined);
    },
    jumpTo,
    middleOfView: () => (range === undefined ? link.exchangeNow() : (range.from + range.to) / 2),
    async lookAtMinute(openTime) {
      if (signals.interval.value !== '1m') {
        showView(signals.symbol.value, '1m', around(openTime));
        return;
      }
      await pointIn(around(openTime), openTime);
    },
    fetchAudits: (day, signal) => {
      const symbol = signals.symbol.value ?? '';
      return fetchSummary(document.baseURI, { symbol, day }, signal);
    },
    wishes,
    gaps,
    exchangeNow: () => link.exchangeNow(),
    dismissNotices: () => {
      signals.notices.value = [];
    },
    close() {
      stopTimers();
      address.close();
      link.close();
      session.lookup.close();
      wishes.close();
      gaps.close();
      candles.close();
      session.chart?.close();
    },
  };
}

function around(openTime: number): ViewRange {
  return { from: openTime - LOOK_HALF_MS, to: openTime + LOOK_HALF_MS };
}

function openCandles({ signals, now }: DashboardOptions) {
  return candleView({
    now,
    fetchPage: (request, signal) => {
      const view = { symbol: signals.symbol.value ?? '', interval: signals.interval.value };
      return fetchCandlePage(document.baseURI, { ...view, ...request }, signal);
    },
    onLoading: (isLoading) => {
      signals.isLoadingOlder.value = isLoading;
    },
    onFault: (fault) => notify(signals, fault),
  });
}

/** However often it is asked for, `show` runs once before the next frame. */
function oncePerFrame(show: () => void): () => void {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      show();
    });
  };
}

/** Passes the first call on at once, and of those in the `ms` after it one at their end. */
function atMostEvery(ms: number, act: () => void): () => void {
  let isResting = false;
  let isAsked = false;
  return function ask() {
    if (isResting) {
      isAsked = true;
      return;
    }
    isResting = true;
    act();
    setTimeout(() => {
      isResting = false;
      if (!isAsked) return;
      isAsked = false;
      ask();
    }, ms);
  };
}

/** The page's pulse; the answer stops it. */
function keepTime(session: Session, look: () => void): () => void {
  const retry = () => session.link.retryNow();
  const timer = setInterval(() => {
    session.link.tick();
    showStatus(session);
    showTimeTexts(session);
    look();
  }, TICK_MS);
  addEventListener('online', retry);
  document.addEventListener('visibilitychange', retry);
  return () => {
    clearInterval(timer);
    removeEventListener('online', retry);
    document.removeEventListener('visibilitychange', retry);
  };
}
