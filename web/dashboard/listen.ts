// What each message of the server does to the page. Decides nothing about candles: candle-view.ts does.
import { type Interval, isInterval } from '../../src/core/market/interval.ts';
import type { ServerMessage } from '../../src/protocol/browser.ts';
import { knownView } from '../view/known-view.ts';
import type { ViewRange } from '../view/url-state.ts';
import { benchProbe } from './bench-probe.ts';
import { type Session, showStatus } from './page-texts.ts';
import type { DashboardSignals } from './signals.ts';

/** Candles of the first snapshot: several screens of a wide monitor, fast to send and draw. */
export const SNAPSHOT_CANDLES = 1_000;
/** Messages shown at a time; of more the newest. */
export const NOTICES_MAX = 3;

export interface Reactions {
  /** Where the link that opened the page looks. */
  readonly linkedRange: ViewRange | undefined;
  readonly showView: (symbol: string | undefined, interval: Interval, look?: ViewRange) => void;
  readonly requestFrame: () => void;
  readonly requestSoon: () => void;
  readonly onListed: (symbols: readonly string[]) => void;
}

type Message<Type extends ServerMessage['type']> = Extract<ServerMessage, { readonly type: Type }>;

/** What each message of the server does. */
export function listen(session: Session, reactions: Reactions) {
  const { signals, candles, meter, now } = session;
  const probe = benchProbe(location.search, now);
  let sourceId: string | undefined;

  function onHello(hello: Message<'hello'>): void {
    const { symbols, intervals, status, version } = hello;
    const isFirst = sourceId === undefined;
    const isOtherSource = !isFirst && sourceId !== status.source.id;
    sourceId = status.source.id;
    signals.symbols.value = symbols;
    signals.intervals.value = intervals.filter(isInterval);
    signals.version.value = version;
    signals.canBackfill.value = hello.canBackfill === true;
    signals.status.value = status;
    const wish = { symbol: signals.symbol.value, interval: signals.interval.value };
    const known = knownView(wish, { symbols, intervals: signals.intervals.value });
    for (const fault of known.faults) notify(signals, fault);
    const isOther = known.symbol !== wish.symbol || known.interval !== wish.interval;
    const look = isFirst && known.faults.length === 0 ? reactions.linkedRange : undefined;
    // Candles of one source are never joined to another's (I10).
    if (isFirst || isOtherSource || isOther) {
      reactions.showView(known.symbol, known.interval, look);
    } else {
      watch(session);
    }
    reactions.onListed(symbols);
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

  /** The symbol in view may be gone: then the first of those left is shown. */
  function onSymbols({ symbols }: Message<'symbols'>): void {
    signals.symbols.value = symbols;
    const shown = signals.symbol.value;
    if (shown === undefined || !symbols.includes(shown)) {
      if (shown !== undefined) notify(signals, `${shown} was removed.`);
      reactions.showView(symbols[0], signals.interval.value);
    }
    reactions.onListed(symbols);
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
        if (message.symbol === signals.symbol.value) signals.audit.value = message.audit;
        break;
      case 'symbols':
        onSymbols(message);
        break;
      default:
        message satisfies never;
    }
    showStatus(session);
  };
}

export function watch({ signals, link }: Session): void {
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

export function notify({ notices }: DashboardSignals, notice: string): void {
  if (notices.value.includes(notice)) return;
  notices.value = [...notices.value, notice].slice(-NOTICES_MAX);
}
