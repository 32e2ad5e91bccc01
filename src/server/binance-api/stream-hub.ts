// Brings the market's events to the streams' subscribers. Writes each event once, and none that nobody wants.
import type { AggTrade } from '../../core/market/agg-trade.ts';
import type { Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock } from '../../core/market/time.ts';
import type { LiveMarket, MarketEvent } from '../../stages/live-market.ts';
import type { FeedNews } from '../feed-news.ts';
import { aggTradeEvent } from './binance-text.ts';
import { KlineStream } from './kline-stream.ts';
import type { StreamConnection } from './stream-connection.ts';
import type { Stream } from './stream-name.ts';

export interface StreamHubOptions {
  readonly market: LiveMarket;
  readonly news: FeedNews;
  readonly clock: Clock;
}

interface TradeStream {
  readonly name: string;
  readonly subscribers: Set<StreamConnection>;
}

export class StreamHub implements Disposable {
  readonly #options: StreamHubOptions;
  readonly #connections = new Set<StreamConnection>();
  readonly #trades = new Map<MarketSymbol, TradeStream>();
  readonly #klines = new Map<MarketSymbol, Map<Interval, KlineStream>>();
  readonly #stop: () => void;

  constructor(options: StreamHubOptions) {
    this.#options = options;
    this.#stop = options.market.subscribe((event) => this.#apply(event));
  }

  get connections(): number {
    return this.#connections.size;
  }

  add(connection: StreamConnection): void {
    this.#connections.add(connection);
  }

  remove(connection: StreamConnection): void {
    this.#connections.delete(connection);
    for (const stream of [...connection.streams.values()]) this.unsubscribe(connection, stream);
    connection.close();
  }

  subscribe(connection: StreamConnection, stream: Stream): void {
    connection.streams.set(stream.name, stream);
    if (stream.type === 'kline') this.#klineStream(stream).subscribers.add(connection);
    else this.#tradeStream(stream.symbol, stream.name).subscribers.add(connection);
  }

  unsubscribe(connection: StreamConnection, stream: Stream): void {
    connection.streams.delete(stream.name);
    if (stream.type === 'aggTrade') {
      const trades = this.#trades.get(stream.symbol);
      trades?.subscribers.delete(connection);
      if (trades?.subscribers.size === 0) this.#trades.delete(stream.symbol);
      return;
    }
    const klines = this.#klines.get(stream.symbol);
    const kline = klines?.get(stream.interval);
    kline?.subscribers.delete(connection);
    if (klines === undefined || kline === undefined || kline.subscribers.size > 0) return;
    kline.close();
    klines.delete(stream.interval);
    if (klines.size === 0) this.#klines.delete(stream.symbol);
  }

  /** As the exchange does before it closes: clients connect anew at once instead of waiting for silence. */
  announceShutdown(): void {
    const raw = `{"e":"serverShutdown","E":${this.#options.news.exchangeTime()}}`;
    const frame = { name: '!serverShutdown', raw, combined: undefined };
    for (const connection of this.#connections) connection.send(frame);
  }

  [Symbol.dispose](): void {
    this.#stop();
    for (const connection of [...this.#connections]) this.remove(connection);
  }

  #tradeStream(symbol: MarketSymbol, name: string): TradeStream {
    const held = this.#trades.get(symbol);
    if (held !== undefined) return held;
    const stream = { name, subscribers: new Set<StreamConnection>() };
    this.#trades.set(symbol, stream);
    return stream;
  }

  #klineStream(stream: Stream & { readonly type: 'kline' }): KlineStream {
    const { market, clock, news } = this.#options;
    const { symbol, interval, name } = stream;
    const klines = this.#klines.get(symbol) ?? new Map<Interval, KlineStream>();
    this.#klines.set(symbol, klines);
    const held = klines.get(interval);
    if (held !== undefined) return held;
    const closedUpTo = market.closedTail(symbol, interval).at(-1)?.openTime ?? -1;
    const kline = new KlineStream({
      ...{ name, interval, closedUpTo, clock },
      exchangeTime: () => news.exchangeTime(),
      clockOffsetMs: () => news.clockOffsetMs(),
      isPast: () => news.source().kind === 'recording',
    });
    klines.set(interval, kline);
    kline.learnStart();
    return kline;
  }

  #apply(event: MarketEvent): void {
    if (event.type === 'trade') this.#applyTrade(event.trade);
    else if (event.type === 'live') {
      this.#klines.get(event.candle.symbol)?.get(event.candle.interval)?.applyLive(event.candle);
    } else if (event.type === 'closed') {
      this.#klines.get(event.candle.symbol)?.get(event.candle.interval)?.applyClosed(event.candle);
    } else if (event.type === 'status') {
      for (const klines of this.#klines.values()) {
        for (const kline of klines.values()) kline.learnStart();
      }
    }
  }

  #applyTrade(trade: AggTrade): void {
    const stream = this.#trades.get(trade.symbol);
    if (stream === undefined) return;
    const frame = { name: stream.name, raw: aggTradeEvent(trade), combined: undefined };
    for (const subscriber of stream.subscribers) subscriber.send(frame);
  }
}
