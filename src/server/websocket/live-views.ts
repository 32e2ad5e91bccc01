// Brings the market's events to the dashboards that watch their view, and everyone the status. Knows no sockets.
import type { Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock } from '../../core/market/time.ts';
import { HEARTBEAT_MS, type StatusView } from '../../protocol/browser.ts';
import type { LiveMarket, MarketEvent } from '../../stages/live-market.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import type { AnyCandle } from '../candle-row.ts';
import { liveCandles } from '../candle-window.ts';
import type { FeedNews } from '../feed-news.ts';
import type { LiveConnection, WatchedView } from './live-connection.ts';

export interface LiveViewsOptions {
  readonly market: LiveMarket;
  readonly store: CandleStore;
  readonly news: FeedNews;
  readonly clock: Clock;
}

export class LiveViews implements Disposable {
  readonly #options: LiveViewsOptions;
  readonly #connections = new Set<LiveConnection>();
  readonly #watchers = new Map<MarketSymbol, Map<Interval, Set<LiveConnection>>>();
  readonly #closed = new AbortController();
  readonly #unsubscribe: () => void;
  #shown = '';

  constructor(options: LiveViewsOptions) {
    this.#options = options;
    this.#unsubscribe = options.market.subscribe((event) => this.#apply(event));
    // Ends by itself when this is disposed of; it cannot fail.
    void this.#beat();
  }

  get connections(): number {
    return this.#connections.size;
  }

  add(connection: LiveConnection): void {
    this.#connections.add(connection);
  }

  remove(connection: LiveConnection): void {
    this.#connections.delete(connection);
    this.#unwatch(connection);
    connection.close();
  }

  /**
   * Watches first, reads then, and sends what was read with what changed in between: no gap and no
   * repetition between the snapshot and the updates after it. A later call wins.
   * @throws what the store throws.
   */
  async watch(connection: LiveConnection, view: WatchedView): Promise<void> {
    const { market, store } = this.#options;
    const { symbol, interval, limit } = view;
    this.#unwatch(connection);
    connection.watch(view);
    this.#watchersOf(symbol, interval).add(connection);
    // One more than asked for: whether there are older ones.
    const stored = await store.read({ symbol, interval, limit: limit + 1, take: 'last' });
    connection.sendSnapshot(view, stored, liveCandles(market, symbol, interval));
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
    this.#unsubscribe();
    for (const connection of [...this.#connections]) this.remove(connection);
  }

  #watchersOf(symbol: MarketSymbol, interval: Interval): Set<LiveConnection> {
    const byInterval = this.#watchers.get(symbol) ?? new Map<Interval, Set<LiveConnection>>();
    this.#watchers.set(symbol, byInterval);
    const watchers = byInterval.get(interval) ?? new Set();
    byInterval.set(interval, watchers);
    return watchers;
  }

  #unwatch(connection: LiveConnection): void {
    const view = connection.view;
    if (view === undefined) return;
    const byInterval = this.#watchers.get(view.symbol);
    const watchers = byInterval?.get(view.interval);
    watchers?.delete(connection);
    if (watchers?.size === 0) byInterval?.delete(view.interval);
    if (byInterval?.size === 0) this.#watchers.delete(view.symbol);
  }

  #apply(event: MarketEvent): void {
    if (event.type === 'status') this.#showIfChanged();
    else if (event.type !== 'trade') this.#change(event.candle);
  }

  #change(candle: AnyCandle): void {
    const watchers = this.#watchers.get(candle.symbol)?.get(candle.interval);
    if (watchers === undefined) return;
    const changed = { candle, rowText: undefined };
    for (const connection of watchers) connection.change(changed);
  }

  async #beat(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      await this.#options.clock.sleep(HEARTBEAT_MS, this.#closed.signal);
      if (!this.#closed.signal.aborted) this.#show(this.#options.news.view());
    }
  }

  #showIfChanged(): void {
    const view = this.#options.news.view();
    if (essenceOf(view) !== this.#shown) this.#show(view);
  }

  #show(view: StatusView): void {
    this.#shown = essenceOf(view);
    const text = JSON.stringify({ type: 'status', status: view });
    for (const connection of [...this.#connections]) connection.sendStatus(text);
  }
}

/** What a user would see change; times and delays move all the while and wait for the heartbeat. */
function essenceOf({ state, since, reason, source, symbols }: StatusView): string {
  return JSON.stringify([state, since, reason, source.id, symbols]);
}
