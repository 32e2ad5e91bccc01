// From candles, clock and status to the page's texts. Reads the session, writes signals; decides nothing else.
import { nextOpenTime } from '../../src/core/market/interval.ts';
import { epochMs } from '../../src/core/market/time.ts';
import type { CandleRow } from '../../src/protocol/browser.ts';
import type { AuditLookup } from '../audit/audit-lookup.ts';
import { standingOf } from '../audit/verdict.ts';
import { hasMore, spokenVerdict, verdictView } from '../audit/verdict-view.ts';
import type { CandleChart } from '../chart/candle-chart.ts';
import { countdownText, localZone, spanText, UTC, type ZoneOffset } from '../chart/wall-clock.ts';
import { trimDecimal } from '../legend/format-decimal.ts';
import { legendOf } from '../legend/legend-fields.ts';
import { type DelayMeter, delayText } from '../status/delay-meter.ts';
import { pageStatus, sourceBadge } from '../status/page-status.ts';
import type { ZoneChoice } from '../view/preferences.ts';
import type { CandleView } from './candle-view.ts';
import { pageTitle } from './page-title.ts';
import type { ServerLink } from './server-link.ts';
import type { DashboardSignals } from './signals.ts';

export interface Session {
  readonly signals: DashboardSignals;
  readonly candles: CandleView;
  readonly link: ServerLink;
  readonly meter: DelayMeter;
  readonly lookup: AuditLookup;
  readonly now: () => number;
  chart: CandleChart | undefined;
  /** Open time under the crosshair, ms. */
  pointedAt: number | undefined;
  /** When the view's candles last changed, ms by the page's clock. */
  updatedAt: number | undefined;
  /** Whether the candle pointed at is to be said: it was pointed at by keyboard. */
  isSpoken: boolean;
}

export function zoneOf(choice: ZoneChoice): ZoneOffset {
  return choice === 'utc' ? UTC : localZone;
}

/** Price and legend: at most once a frame. */
export function showCandleTexts(session: Session): void {
  const { signals, candles, chart, pointedAt } = session;
  const newest = candles.newest();
  if (newest === undefined) return;
  const digits = chart?.digits() ?? 0;
  const view = { interval: signals.interval.value, zone: zoneOf(signals.zone.value), digits };
  const last = legendOf(newest, view);
  const pointed = pointedAt === undefined ? undefined : candles.row(pointedAt);
  signals.legend.value =
    pointed === undefined || pointed === newest ? last : legendOf(pointed, view);
  showVerdict(session, pointed ?? newest, pointed !== undefined);
  signals.price.value = {
    text: trimDecimal(newest[4], digits),
    direction: last.direction,
    change: last.texts.change,
  };
}

/** The verdict on the legend's candle: what the row says at once, the rest only of one that is pointed at. */
function showVerdict(session: Session, row: CandleRow, isPointed: boolean): void {
  const { signals, lookup } = session;
  const interval = signals.interval.value;
  const kind = signals.status.value?.source.kind;
  const asks = isPointed && hasMore(standingOf(row, interval));
  const answer = asks ? lookup.at(signals.symbol.value ?? '', row) : undefined;
  const next = verdictView(row, { interval, kind }, answer);
  if (JSON.stringify(next) !== JSON.stringify(signals.verdict.value)) signals.verdict.value = next;
  if (!session.isSpoken) return;
  const { time, texts } = signals.legend.value;
  signals.spoken.value = `${time}, close ${texts.close}. ${spokenVerdict(next)}`;
}

/** State, reason and since: at each word from the server and a few times a second without one. */
export function showStatus({ signals, link, chart }: Session): void {
  const next = pageStatus({
    status: signals.status.value,
    isServerLost: link.isLost(),
    lastHeardAt: link.lastHeardAt(),
    symbol: signals.symbol.value,
  });
  const shown = signals.page.value;
  const isSame =
    next.state === shown.state && next.reason === shown.reason && next.since === shown.since;
  if (isSame) return;
  signals.page.value = next;
  chart?.setCurrent(next.isCurrent);
}

/** What changes with the time alone: countdown, delay, age, title. */
export function showTimeTexts({ signals, candles, link, meter, now, chart, updatedAt }: Session) {
  const newest = candles.newest();
  const isCurrent = signals.page.value.isCurrent;
  let countdown = '';
  if (newest !== undefined && isCurrent) {
    const closesAt = nextOpenTime(signals.interval.value, epochMs(newest[0]));
    countdown = countdownText(closesAt - link.exchangeNow());
  }
  signals.countdown.value = countdown;
  chart?.setCountdown(candles.isLive() ? countdown : '');
  signals.delay.value = delayText(isCurrent ? meter.median(now()) : undefined);
  signals.updateAge.value = updatedAt === undefined ? '–' : spanText(now() - updatedAt);
  document.title = pageTitle({
    symbol: signals.symbol.value,
    price: signals.price.value,
    page: signals.page.value,
    badge: sourceBadge(signals.status.value)?.word,
  });
}
