// The page's wiring: link, candles, chart, address and signals. What to decide is in the pure modules around it.
import { type Interval, isInterval } from '../../src/core/market/interval.ts';
import type { ServerMessage } from '../../src/protocol/browser.ts';
import { candleChart, type VisibleRange } from '../chart/candle-chart.ts';
import type { Theme } from '../chart/palette.ts';
import { NO_LEGEND } from '../legend/legend-fields.ts';
import { delayMeter } from '../status/delay-meter.ts';
import { knownView } from '../view/known-view.ts';
import { storeTheme, storeZone, type ZoneChoice } from '../view/preferences.ts';
import type { UrlView, ViewRange } from '../view/url-state.ts';
import { addressBar } from './address-bar.ts';
import { benchProbe } from './bench-probe.ts';
import { candleView } from './candle-view.ts';
import { fetchCandlePage } from './fetch-page.ts';
import { type Session, showCandleTexts, showStatus, showTimeTexts, zoneOf } from './page-texts.ts';
import { openServerLink } from './server-link.ts';
import { type DashboardSignals, NO_PRICE } from './signals.ts';

/** Candles of the first snapshot: several screens of a wide monitor, fast to send and draw. */
export const SNAPSHOT_CANDLES = 1_000;
/** Messages shown at a time; of more the newest. */
export const NOTICES_MAX = 3;
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
    now,
    chart: undefined,
    pointedAt: undefined,
    updatedAt: undefined,
  };
  const { candles, link } = session;

  function showView(symbol: string | undefined, interval: Interval, look?: ViewRange): void {
    signals.symbol.value = symbol;
    signals.interval.value = interval;
    signals.fill.value = 'waiting';
    signals.price.value = NO_PRICE;
    signals.legend.value = NO_LEGEND;
    signals.isAtLive.value = true;
    range = look;
    session.pointedAt = undefined;
    session.updatedAt = undefined;
    candles.reset(interval, look);
    watch(session);
    showStatus(session);
    address.saveSoon();
  }

  const hear = listen(session, options, { showView, requestFrame, requestSoon });

  function onRange(visible: VisibleRange): void {
    const isAtLive = candles.isLive() && visible.slotsAfter < 1;
    range = isAtLive ? undefined : { from: visible.from, to: visible.to };
    signals.isAtLive.value = isAtLive;
    candles.looked(visible);
    address.saveSoon();
  }

  function onPoint(openTime: number | undefined): void {
    session.pointedAt = openTime;
    requestFrame();
  }

  const stopTimers = keepTime(session);
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
    lookAtLive: () => candles.lookAtLive(),
    dismissNotices: () => {
      signals.notices.value = [];
    },
    close() {
      stopTimers();
      address.close();
      link.close();
      candles.close();
      session.chart?.close();
    },
  };
}

interface Reactions {
  readonly showView: (symbol: string | undefined, interval: Interval, look?: ViewRange) => void;
  readonly requestFrame: () => void;
  readonly requestSoon: () => void;
}

type Message<Type extends ServerMessage['type']> = Extract<ServerMessage, { readonly type: Type }>;

/** What each message of the server does. */
function listen(session: Session, { url, now }: DashboardOptions, reactions: Reactions) {
  const { signals, candles, meter } = session;
  const probe = benchProbe(location.search, now);
  let sourceId: string | undefined;

  function onHello({ symbols, intervals, status, version }: Message<'hello'>): void {
    const isFirst = sourceId === undefined;
    const isOtherSource = !isFirst && sourceId !== status.source.id;
    sourceId = status.source.id;
    signals.symbols.value = symbols;
    signals.intervals.value = intervals.filter(isInterval);
    signals.version.value = version;
    signals.status.value = status;
    const wish = { symbol: signals.symbol.value, interval: signals.interval.value };
    const known = knownView(wish, { symbols, intervals: signals.intervals.value });
    for (const fault of known.faults) notify(signals, fault);
    const isOther = known.symbol !== wish.symbol || known.interval !== wish.interval;
    const look = isFirst && known.faults.length === 0 ? url.range : undefined;
    // Candles of one source are never joined to another's (I10).
    if (isFirst || isOtherSource || isOther) {
      reactions.showView(known.symbol, known.interval, look);
    } else {
      watch(session);
    }
  }

  function onUpdate({ candles: rows, eventTime }: Message<'update'>): void {
    candles.update(rows);
    if (!candles.isEmpty()) signals.fill.value = 'filled';
    session.updatedAt = now();
    reactions.requestSoon();
    if (eventTime === undefined) return;
    requestAnimationFrame(() => meter.add(now(), session.link.exchangeNow() - eventTime));
    const close = rows.at(-1)?.[4];
    if (close !== undefined) probe({ eventTime, close });
  }

  return (message: ServerMessage): void => {
    switch (message.type) {
      case 'hello':
        onHello(message);
        break;
      case 'status':
        signals.status.value = message.status;
        break;
      case 'snapshot':
        if (!isInView(signals, message)) break;
        candles.snapshot(message);
        signals.fill.value = candles.isEmpty() ? 'empty' : 'filled';
        reactions.requestFrame();
        break;
      case 'update':
        if (isInView(signals, message)) onUpdate(message);
        break;
      case 'error':
        notify(signals, message.message);
        break;
      case 'pong':
        break; // the link's own business
      case 'audit':
      case 'symbols':
        break;
      default:
        message satisfies never;
    }
    showStatus(session);
  };
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

function watch({ signals, link }: Session): void {
  const symbol = signals.symbol.value;
  if (symbol === undefined) return;
  link.send({ type: 'watch', symbol, interval: signals.interval.value, limit: SNAPSHOT_CANDLES });
}

/** Messages of the view before the last switch may still be under way. */
function isInView(
  { symbol, interval }: DashboardSignals,
  message: { readonly symbol: string; readonly interval: Interval },
): boolean {
  return message.symbol === symbol.value && message.interval === interval.value;
}

function notify({ notices }: DashboardSignals, notice: string): void {
  if (notices.value.includes(notice)) return;
  notices.value = [...notices.value, notice].slice(-NOTICES_MAX);
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
function keepTime(session: Session): () => void {
  const retry = () => session.link.retryNow();
  const timer = setInterval(() => {
    session.link.tick();
    showStatus(session);
    showTimeTexts(session);
  }, TICK_MS);
  addEventListener('online', retry);
  document.addEventListener('visibilitychange', retry);
  return () => {
    clearInterval(timer);
    removeEventListener('online', retry);
    document.removeEventListener('visibilitychange', retry);
  };
}
