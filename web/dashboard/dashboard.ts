// The page's wiring: link, candles, chart, address and signals. What to decide is in the pure modules around it.
import { type Interval, isInterval, nextOpenTime } from '../../src/core/market/interval.ts';
import { epochMs } from '../../src/core/market/time.ts';
import type { ServerMessage } from '../../src/protocol/browser.ts';
import { type CandleChart, candleChart, type VisibleRange } from '../chart/candle-chart.ts';
import type { Theme } from '../chart/palette.ts';
import { countdownText, localZone, spanText, UTC, type ZoneOffset } from '../chart/wall-clock.ts';
import { trimDecimal } from '../legend/format-decimal.ts';
import { legendOf, NO_LEGEND } from '../legend/legend-fields.ts';
import { delayMeter, delayText } from '../status/delay-meter.ts';
import { pageStatus, sourceBadge } from '../status/page-status.ts';
import { storeTheme, storeZone, type ZoneChoice } from '../view/preferences.ts';
import { type UrlView, type ViewRange, writeUrl } from '../view/url-state.ts';
import { benchProbe } from './bench-probe.ts';
import { candleView } from './candle-view.ts';
import { fetchCandlePage } from './fetch-page.ts';
import { pageTitle } from './page-title.ts';
import { openServerLink } from './server-link.ts';
import { type DashboardSignals, NO_PRICE } from './signals.ts';

/** Candles of the first snapshot: two screens of a wide monitor, fast to send and draw. */
export const SNAPSHOT_CANDLES = 1_000;
export const NOTICES_MAX = 3;
const TICK_MS = 250;
const URL_DELAY_MS = 300;

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
  const probe = benchProbe(location.search, now);
  const meter = delayMeter();
  let chart: CandleChart | undefined;
  let pointedAt: number | undefined;
  let range: ViewRange | undefined;
  let sourceId: string | undefined;
  let updatedAt: number | undefined;
  let firstRange = options.url.range;
  let frame = 0;
  let urlTimer: ReturnType<typeof setTimeout> | undefined;
  if (options.url.faults.length > 0) signals.notices.value = options.url.faults;

  const link = openServerLink({ base: document.baseURI, now, random: options.random, onMessage });
  const candles = candleView({
    now,
    fetchPage: (request, signal) => {
      const view = { symbol: signals.symbol.value ?? '', interval: signals.interval.value };
      return fetchCandlePage(document.baseURI, { ...view, ...request }, signal);
    },
    onLoading: (isLoading) => {
      signals.isLoadingOlder.value = isLoading;
    },
    onFault: notify,
  });

  function onMessage(message: ServerMessage): void {
    switch (message.type) {
      case 'hello':
        onHello(message);
        break;
      case 'status':
        signals.status.value = message.status;
        showStatus();
        break;
      case 'snapshot':
        if (!isInView(message)) break;
        candles.snapshot(message);
        signals.fill.value = candles.isEmpty() ? 'empty' : 'filled';
        requestFrame();
        break;
      case 'update':
        if (isInView(message)) onUpdate(message);
        break;
      case 'error':
        notify(message.message);
        break;
      case 'pong':
        break; // the link's own business
      default:
        message satisfies never;
    }
  }

  function onHello({ symbols, intervals, status, version }: Message<'hello'>): void {
    signals.symbols.value = symbols;
    signals.intervals.value = intervals.filter(isInterval);
    signals.version.value = version;
    signals.status.value = status;
    const isOtherSource = sourceId !== undefined && sourceId !== status.source.id;
    const isFirst = sourceId === undefined;
    sourceId = status.source.id;
    const known = knownView(symbols, signals.intervals.value);
    // Candles of one source are never joined to another's (I10).
    if (isFirst || isOtherSource || known.isOther) showView(known.symbol, known.interval);
    else watch();
    showStatus();
  }

  /** The view the page asks for, as far as the server has it; what it lacks is named. */
  function knownView(symbols: readonly string[], intervals: readonly Interval[]) {
    const { symbol: wanted } = signals;
    const symbol = symbols.find((name) => name === wanted.value) ?? symbols[0];
    const interval = intervals.includes(signals.interval.value)
      ? signals.interval.value
      : (intervals.find((name) => name === '1m') ?? intervals[0] ?? '1m');
    if (wanted.value !== undefined && symbol !== wanted.value) {
      notify(`This server has no symbol “${wanted.value}”: showing ${symbol ?? 'none'} instead.`);
      firstRange = undefined;
    }
    if (interval !== signals.interval.value) {
      notify(
        `This server has no interval “${signals.interval.value}”: showing ${interval} instead.`,
      );
    }
    const isOther = symbol !== wanted.value || interval !== signals.interval.value;
    return { symbol, interval, isOther };
  }

  function showView(symbol: string | undefined, interval: Interval): void {
    signals.symbol.value = symbol;
    signals.interval.value = interval;
    signals.fill.value = 'waiting';
    signals.price.value = NO_PRICE;
    signals.legend.value = NO_LEGEND;
    signals.isAtLive.value = true;
    range = undefined;
    pointedAt = undefined;
    updatedAt = undefined;
    candles.reset(interval, firstRange);
    firstRange = undefined;
    watch();
    showStatus();
    saveUrlSoon();
  }

  function watch(): void {
    const symbol = signals.symbol.value;
    if (symbol === undefined) return;
    link.send({ type: 'watch', symbol, interval: signals.interval.value, limit: SNAPSHOT_CANDLES });
  }

  function isInView(message: { readonly symbol: string; readonly interval: Interval }): boolean {
    return message.symbol === signals.symbol.value && message.interval === signals.interval.value;
  }

  function onUpdate({ candles: rows, eventTime }: Message<'update'>): void {
    candles.update(rows);
    if (!candles.isEmpty()) signals.fill.value = 'filled';
    updatedAt = now();
    requestFrame();
    if (eventTime === undefined) return;
    requestAnimationFrame(() => meter.add(now(), link.exchangeNow() - eventTime));
    const close = rows.at(-1)?.[4];
    if (close !== undefined) probe({ eventTime, close });
  }

  /** Texts follow the chart once a frame, however many updates came. */
  function requestFrame(): void {
    if (frame === 0) frame = requestAnimationFrame(showTexts);
  }

  function showTexts(): void {
    frame = 0;
    const newest = candles.newest();
    if (newest === undefined) return;
    const view = { interval: signals.interval.value, zone: zone(), digits: chart?.digits() ?? 0 };
    const last = legendOf(newest, view);
    const row = pointedAt === undefined ? newest : (candles.row(pointedAt) ?? newest);
    signals.legend.value = row === newest ? last : legendOf(row, view);
    signals.price.value = {
      text: trimDecimal(newest[4], view.digits),
      direction: last.direction,
      change: last.texts.change,
    };
  }

  function onRange(visible: VisibleRange): void {
    const isAtLive = candles.isLive() && visible.slotsAfter < 1;
    range = isAtLive ? undefined : { from: visible.from, to: visible.to };
    signals.isAtLive.value = isAtLive;
    candles.looked(visible);
    saveUrlSoon();
  }

  function saveUrlSoon(): void {
    clearTimeout(urlTimer);
    urlTimer = setTimeout(() => {
      const symbol = signals.symbol.value;
      if (symbol === undefined || firstRange !== undefined) return;
      const view = { symbol, interval: signals.interval.value, range };
      history.replaceState(null, '', writeUrl(location.search, view));
    }, URL_DELAY_MS);
  }

  function showStatus(): void {
    const next = pageStatus({
      status: signals.status.value,
      isServerLost: link.isLost(),
      lastHeardAt: link.lastHeardAt(),
      symbol: signals.symbol.value,
    });
    const shown = signals.page.value;
    if (next.state === shown.state && next.reason === shown.reason && next.since === shown.since) {
      return;
    }
    signals.page.value = next;
    chart?.setCurrent(next.isCurrent);
  }

  function tick(): void {
    link.tick();
    showStatus();
    const newest = candles.newest();
    const interval = signals.interval.value;
    const left =
      newest === undefined
        ? undefined
        : nextOpenTime(interval, epochMs(newest[0])) - link.exchangeNow();
    const isCounting = left !== undefined && signals.page.value.isCurrent;
    signals.countdown.value = isCounting ? countdownText(left) : '';
    chart?.setCountdown(isCounting && candles.isLive() ? countdownText(left) : undefined);
    signals.delay.value = delayText(signals.page.value.isCurrent ? meter.median(now()) : undefined);
    signals.updateAge.value = updatedAt === undefined ? '–' : spanText(now() - updatedAt);
    document.title = pageTitle({
      symbol: signals.symbol.value,
      price: signals.price.value,
      page: signals.page.value,
      badge: sourceBadge(signals.status.value)?.word,
    });
  }

  function zone(): ZoneOffset {
    return signals.zone.value === 'utc' ? UTC : localZone;
  }

  function notify(notice: string): void {
    if (signals.notices.value.includes(notice)) return;
    signals.notices.value = [...signals.notices.value, notice].slice(-NOTICES_MAX);
  }

  const retry = () => link.retryNow();
  addEventListener('online', retry);
  document.addEventListener('visibilitychange', retry);
  const timer = setInterval(tick, TICK_MS);
  tick();

  return {
    signals,
    mount(container) {
      chart = candleChart({
        container,
        theme: signals.theme.value,
        zone: zone(),
        interval: signals.interval.value,
        onRange,
        onPoint: (openTime) => {
          pointedAt = openTime;
          requestFrame();
        },
      });
      candles.attach(chart);
    },
    chooseSymbol: (symbol) => showView(symbol, signals.interval.value),
    chooseInterval: (interval) => showView(signals.symbol.value, interval),
    chooseTheme(theme) {
      signals.theme.value = theme;
      storeTheme(theme);
      chart?.setTheme(theme);
    },
    chooseZone(choice) {
      signals.zone.value = choice;
      storeZone(choice);
      chart?.setZone(zone());
      requestFrame();
    },
    lookAtLive: () => candles.lookAtLive(),
    dismissNotices: () => {
      signals.notices.value = [];
    },
    close() {
      clearInterval(timer);
      clearTimeout(urlTimer);
      removeEventListener('online', retry);
      document.removeEventListener('visibilitychange', retry);
      link.close();
      candles.close();
      chart?.close();
    },
  };
}

type Message<Type extends ServerMessage['type']> = Extract<ServerMessage, { readonly type: Type }>;
