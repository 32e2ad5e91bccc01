// One dashboard's connection: what it has yet to be told of its view, and when it may be told. Conflates; never queues messages (I11).
import type { Audit } from '../../core/audit/audit.ts';
import type { Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock, DurationMs, EpochMs } from '../../core/market/time.ts';
import type { AuditsByMinute } from '../audit-window.ts';
import { type AnyCandle, auditedRow } from '../candle-row.ts';
import { mergeCandles, newerCandle } from '../candle-window.ts';
import type { LiveSocket } from './live-socket.ts';

/** A frame of a 60 Hz screen: more updates than it can draw help nobody. */
export const UPDATE_INTERVAL_MS: DurationMs = 16;
/** With more than this unsent, the reader is slow: changes are collected, not sent, until it has caught up. */
export const SLOW_READER_BYTES_MAX = 64 * 1024;
/** How often a slow reader's buffer is looked at. */
export const SLOW_READER_CHECK_MS: DurationMs = 50;
/** Over the byte limit for this long without a break: closed with 1008; the dashboard connects anew. */
export const STUCK_READER_MS_MAX: DurationMs = 15_000;
/** Changed candles held for a reader: more than the largest snapshot means that a new one is cheaper. */
export const PENDING_CANDLES_MAX = 2_000;

export const CLOSE_SLOW_READER = 1_008;

/** A changed candle, shared by all connections of its view, so that its row is written once. */
export interface ChangedCandle {
  readonly candle: AnyCandle;
  readonly audit: Audit | undefined;
  rowText: string | undefined;
}

export interface WatchedView {
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  readonly limit: number;
}

export class LiveConnection {
  readonly #socket: LiveSocket;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #view: WatchedView | undefined;
  /** Until the view's snapshot is sent, changes only gather. */
  #hasSnapshot = false;
  #pending = new Map<EpochMs, ChangedCandle>();
  #status: string | undefined;
  #audit: string | undefined;
  #symbols: string | undefined;
  #lastUpdateAt = Number.NEGATIVE_INFINITY;
  #slowSince: EpochMs | undefined;
  #flushPlanned = false;

  constructor(socket: LiveSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  get view(): WatchedView | undefined {
    return this.#view;
  }

  /** From now on changes of `view` gather, until `sendSnapshot` sends what they grew from. */
  watch(view: WatchedView): void {
    this.#view = view;
    this.#hasSnapshot = false;
    this.#pending = new Map();
    this.#audit = undefined;
  }

  /**
   * Sends the view's candles: `known`, read after `watch`, with their `audits` and with the changes that came meanwhile,
   * which updates then need not repeat. `hasOlder`: there are more, however few these are. Does nothing where `view` is
   * no longer watched.
   */
  sendSnapshot(
    view: WatchedView,
    { audits, hasOlder }: { readonly audits: AuditsByMinute; readonly hasOlder: boolean },
    ...known: readonly Iterable<AnyCandle>[]
  ): void {
    if (this.#view !== view || this.#closed.signal.aborted) return;
    const changed = [...this.#pending.values()].map(({ candle }) => candle);
    const candles = mergeCandles(...known, changed);
    this.#pending = new Map();
    this.#hasSnapshot = true;
    const rows = candles
      .slice(-view.limit)
      .map((candle) => JSON.stringify(auditedRow(candle, audits.get(candle.openTime))))
      .join(',');
    const more = hasOlder || candles.length > view.limit;
    const { symbol, interval } = view;
    this.#socket.send(
      `{"type":"snapshot","symbol":${JSON.stringify(symbol)},"interval":"${interval}","candles":[${rows}],"more":${more}}`,
    );
  }

  /** A candle of the view has changed: it is sent at once, or with others when the next message is due. */
  change(changed: ChangedCandle): void {
    if (this.#closed.signal.aborted) return;
    const held = this.#pending.get(changed.candle.openTime);
    if (held !== undefined && newerCandle(held.candle, changed.candle) === held.candle) return;
    this.#pending.set(changed.candle.openTime, changed);
    if (this.#pending.size > PENDING_CANDLES_MAX) {
      this.#closeSlow('More candles changed than a snapshot holds; connect again');
      return;
    }
    this.#planFlush();
  }

  /** `text` is a whole status message. A slow reader gets only the newest one. */
  sendStatus(text: string): void {
    this.#status = text;
    this.#flushStatus();
  }

  /** `text` is a whole symbols message. A slow reader gets only the newest one. */
  sendSymbols(text: string): void {
    this.#symbols = text;
    this.#flushSymbols();
  }

  /** `text` is a whole audit message of the symbol watched. A slow reader gets only the newest one. */
  sendAudit(text: string): void {
    this.#audit = text;
    this.#flushAudit();
  }

  /** For answers to what the client asked: bounded by its own message rate. */
  send(text: string): void {
    if (!this.#closed.signal.aborted) this.#socket.send(text);
  }

  /** Nothing is sent any more. Idempotent. */
  close(): void {
    this.#closed.abort();
    this.#pending = new Map();
  }

  #planFlush(): void {
    if (this.#flushPlanned || !this.#hasSnapshot) return;
    this.#flushPlanned = true;
    const restMs = this.#lastUpdateAt + UPDATE_INTERVAL_MS - this.#clock.now();
    if (restMs > 0) this.#flushAfter(restMs);
    // Not at once but after this turn's other events: what changed together is sent together.
    else queueMicrotask(() => this.#flush());
  }

  #flushAfter(ms: DurationMs): void {
    void this.#clock.sleep(ms, this.#closed.signal).then(() => this.#flush());
  }

  #flush(): void {
    if (this.#closed.signal.aborted) return;
    if (this.#isSlow()) {
      this.#flushAfter(SLOW_READER_CHECK_MS);
      return;
    }
    this.#flushPlanned = false;
    if (this.#status !== undefined) this.#flushStatus();
    if (this.#symbols !== undefined) this.#flushSymbols();
    if (this.#audit !== undefined) this.#flushAudit();
    if (this.#hasSnapshot && this.#pending.size > 0) this.#sendUpdate();
  }

  #flushStatus(): void {
    if (this.#status === undefined || this.#closed.signal.aborted || this.#isSlow()) return;
    this.#socket.send(this.#status);
    this.#status = undefined;
  }

  #flushSymbols(): void {
    if (this.#symbols === undefined || this.#closed.signal.aborted) return;
    if (this.#isSlow()) {
      this.#planFlush();
      return;
    }
    this.#socket.send(this.#symbols);
    this.#symbols = undefined;
  }

  /** Never before the snapshot it belongs to. */
  #flushAudit(): void {
    const text = this.#audit;
    if (text === undefined || this.#closed.signal.aborted || !this.#hasSnapshot) return;
    if (this.#isSlow()) {
      this.#planFlush();
      return;
    }
    this.#socket.send(text);
    this.#audit = undefined;
  }

  #sendUpdate(): void {
    const view = this.#view;
    if (view === undefined) return;
    const changed = [...this.#pending.values()].sort(
      (a, b) => a.candle.openTime - b.candle.openTime,
    );
    this.#pending = new Map();
    this.#lastUpdateAt = this.#clock.now();
    this.#socket.send(updateText(view, changed, this.#lastUpdateAt));
  }

  #isSlow(): boolean {
    if (this.#socket.bufferedAmount <= SLOW_READER_BYTES_MAX) {
      this.#slowSince = undefined;
      return false;
    }
    const now = this.#clock.now();
    this.#slowSince ??= now;
    if (now - this.#slowSince > STUCK_READER_MS_MAX) {
      this.#closeSlow(`Nothing read for ${STUCK_READER_MS_MAX / 1_000} s; connect again`);
    }
    return true;
  }

  #closeSlow(reason: string): void {
    this.close();
    this.#socket.close(CLOSE_SLOW_READER, reason);
  }
}

function updateText(view: WatchedView, changed: readonly ChangedCandle[], sentAt: number): string {
  let rows = '';
  let eventTime = -1;
  for (const entry of changed) {
    entry.rowText ??= JSON.stringify(auditedRow(entry.candle, entry.audit));
    rows += rows === '' ? entry.rowText : `,${entry.rowText}`;
    if ('eventTime' in entry.candle && entry.candle.eventTime !== undefined) {
      eventTime = Math.max(eventTime, entry.candle.eventTime);
    }
  }
  const { symbol, interval } = view;
  const event = eventTime === -1 ? '' : `"eventTime":${eventTime},`;
  return `{"type":"update","symbol":${JSON.stringify(symbol)},"interval":"${interval}","candles":[${rows}],${event}"sentAt":${sentAt}}`;
}
