// Brings the market's events to the dashboards that watch their view, and everyone the status. Knows no sockets.
import type { Audit } from '../../core/audit/audit.ts';
import type { Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock, EpochMs } from '../../core/market/time.ts';
import {
  HEARTBEAT_MS,
  type ServerMessage,
  SNAPSHOT_CANDLES_MAX,
  type StatusView,
} from '../../protocol/browser.ts';
import type { LiveMarket, MarketEvent } from '../../stages/live-market.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import { readStoredPage, type StoredPage } from '../../store/stored-page.ts';
import { mergeAudits } from '../audit-window.ts';
import { type AnyCandle, isAuditOf, isClosed } from '../candle-row.ts';
import { liveCandles, readCandles } from '../candle-window.ts';
import type { FeedNews } from '../feed-news.ts';
import type { LiveConnection, WatchedView } from './live-connection.ts';

/** Verdicts that wait to be sent with their candles; more than a snapshot shows come with the next page. */
export const VERDICTS_WAITING_MAX = SNAPSHOT_CANDLES_MAX;

export interface LiveViewsOptions {
  readonly market: LiveMarket;
  readonly store: CandleStore;
  readonly news: FeedNews;
  readonly clock: Clock;
  /** Told where the store could not be read for a verdict that came late. */
  readonly onFault?: (cause: unknown) => void;
}

export class LiveViews implements Disposable {
  readonly #options: LiveViewsOptions;
  readonly #connections = new Set<LiveConnection>();
  readonly #watchers = new Map<MarketSymbol, Map<Interval, Set<LiveConnection>>>();
  readonly #verdicts = new Map<MarketSymbol, Map<EpochMs, Audit>>();
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
   * @throws what the store throws, once the newest candles were sent without it: the rest of the stream goes on.
   */
  async watch(connection: LiveConnection, view: WatchedView): Promise<void> {
    const { market, store } = this.#options;
    const { symbol, interval, limit } = view;
    this.#unwatch(connection);
    connection.watch(view);
    this.#watchersOf(symbol, interval).add(connection);
    // One more than asked for: whether there are older ones. As many verdicts reach as far back.
    const query = { symbol, limit: limit + 1 };
    const send = (stored: StoredPage, audits: readonly Audit[]): void =>
      connection.sendSnapshot(
        view,
        { audits: mergeAudits(audits, market.auditTail(symbol)), hasOlder: stored.isCut },
        stored.candles,
        liveCandles(market, symbol, interval),
      );
    try {
      const [stored, audits] = await Promise.all([
        readStoredPage(store, { ...query, interval }),
        interval === '1m' ? store.readAudits({ ...query, take: 'last' }) : [],
      ]);
      send(stored, audits);
    } catch (cause) {
      send({ candles: [], isCut: true }, []);
      throw cause;
    }
  }

  /** The connections that watch `symbol`, at whatever interval. */
  *watchersOf(symbol: MarketSymbol): Generator<LiveConnection> {
    for (const watchers of this.#watchers.get(symbol)?.values() ?? []) yield* watchers;
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
    else if (event.type === 'audit') this.#judge(event.audit);
    else if (event.type === 'symbols') this.#list(event.symbols);
    else if (event.type !== 'trade') this.#change(event.candle);
  }

  #list(symbols: readonly MarketSymbol[]): void {
    const text = JSON.stringify({ type: 'symbols', symbols } satisfies ServerMessage);
    for (const connection of [...this.#connections]) connection.sendSymbols(text);
  }

  #change(candle: AnyCandle): void {
    const watchers = this.#watchers.get(candle.symbol)?.get(candle.interval);
    if (watchers === undefined) return;
    const { market } = this.#options;
    const audit =
      candle.interval === '1m' && isClosed(candle)
        ? market.auditTail(candle.symbol).find((one) => isAuditOf(one, candle))
        : undefined;
    const changed = { candle, audit, rowText: undefined };
    for (const connection of watchers) connection.change(changed);
  }

  /** Many verdicts of one turn are sent by one look at the candles. */
  #judge(audit: Audit): void {
    const { symbol, openTime } = audit;
    if (this.#watchers.get(symbol)?.get('1m') === undefined) return;
    const waiting = this.#verdicts.get(symbol);
    if (waiting !== undefined) {
      if (waiting.size < VERDICTS_WAITING_MAX) waiting.set(openTime, audit);
      return;
    }
    this.#verdicts.set(symbol, new Map([[openTime, audit]]));
    queueMicrotask(() => {
      this.#sendJudged(symbol).catch((cause: unknown) => this.#options.onFault?.(cause));
    });
  }

  /** A verdict may come long after its candle (and be in a snapshot that was sent meanwhile): what the market no longer holds is read from the store. */
  async #sendJudged(symbol: MarketSymbol): Promise<void> {
    const { market, store } = this.#options;
    const verdicts = this.#verdicts.get(symbol);
    this.#verdicts.delete(symbol);
    if (verdicts === undefined) return;
    const openTimes = [...verdicts.keys()].sort((a, b) => a - b);
    const held = market.closedTail(symbol, '1m').filter(({ openTime }) => verdicts.has(openTime));
    const [from, to] = [openTimes[0], openTimes.at(-1)];
    const candles =
      held.length === openTimes.length || from === undefined || to === undefined
        ? held
        : await readCandles(store, market, {
            symbol,
            interval: '1m',
            from,
            to,
            limit: VERDICTS_WAITING_MAX,
            take: 'last',
          });
    const watchers = this.#watchers.get(symbol)?.get('1m') ?? [];
    for (const candle of candles) {
      const audit = verdicts.get(candle.openTime);
      if (audit === undefined || !isAuditOf(audit, candle)) continue;
      const changed = { candle, audit, rowText: undefined };
      for (const connection of watchers) connection.change(changed);
    }
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
function essenceOf({ state, since, reason, source, symbols, storeFault }: StatusView): string {
  return JSON.stringify([state, since, reason, source.id, symbols, storeFault]);
}
