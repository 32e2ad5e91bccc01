// Tells each dashboard how the audit of its symbol stands: with the snapshot, and when it changes, at most once a second.
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock, DurationMs } from '../../core/market/time.ts';
import type { ServerMessage } from '../../protocol/browser.ts';
import type { AuditDays } from '../audit-days.ts';
import type { LiveConnection } from './live-connection.ts';
import type { LiveViews } from './live-views.ts';

/** Minutes close and verdicts come in bursts of several symbols: one message tells them all. */
export const AUDIT_NEWS_INTERVAL_MS: DurationMs = 1_000;

export interface AuditNewsOptions {
  readonly days: AuditDays;
  readonly views: LiveViews;
  readonly clock: Clock;
  /** Told where the store could not be read; the next change tries again. */
  readonly onFault: (cause: unknown) => void;
}

export class AuditNews implements Disposable {
  readonly #options: AuditNewsOptions;
  readonly #planned = new Set<MarketSymbol>();
  readonly #closed = new AbortController();
  readonly #stop: () => void;

  constructor(options: AuditNewsOptions) {
    this.#options = options;
    this.#stop = options.days.onChange((symbol) => this.#plan(symbol));
  }

  /** After the snapshot of a view of `symbol`. Faults are told to `onFault`. */
  async tell(connection: LiveConnection, symbol: MarketSymbol): Promise<void> {
    const text = await this.#text(symbol);
    if (text !== undefined && connection.view?.symbol === symbol) connection.sendAudit(text);
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
    this.#stop();
  }

  #plan(symbol: MarketSymbol): void {
    if (this.#planned.has(symbol) || this.#options.views.watchersOf(symbol).next().done) return;
    this.#planned.add(symbol);
    // Ends when this is disposed of; faults are told to `onFault`.
    void this.#options.clock
      .sleep(AUDIT_NEWS_INTERVAL_MS, this.#closed.signal)
      .then(() => this.#tellAll(symbol));
  }

  async #tellAll(symbol: MarketSymbol): Promise<void> {
    this.#planned.delete(symbol);
    if (this.#closed.signal.aborted) return;
    const text = await this.#text(symbol);
    if (text === undefined) return;
    for (const connection of this.#options.views.watchersOf(symbol)) connection.sendAudit(text);
  }

  async #text(symbol: MarketSymbol): Promise<string | undefined> {
    try {
      const { audit } = await this.#options.days.newest(symbol);
      if (audit === null) return undefined;
      const message: ServerMessage = { type: 'audit', symbol, audit };
      return JSON.stringify(message);
    } catch (cause) {
      this.#options.onFault(cause);
      return undefined;
    }
  }
}
