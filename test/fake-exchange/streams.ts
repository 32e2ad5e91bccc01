// What the exchange sends and when: trades, klines, mini tickers, by the exchange's clock.
// Decides no protocol detail of connections; keeps no timer (`tick` and `advanceTo` move it).
import { isInterval } from './calendar.ts';
import { type ExchangeClock, isManual } from './clock.ts';
import type { Connections } from './connections.ts';
import { aggTradeEvent, klineEvent } from './frames.ts';
import { type CloseDelay, createKlineSchedule } from './kline-schedule.ts';
import type { Market } from './market.ts';
import { createMiniTickers } from './mini-tickers.ts';
import type { AggTrade } from './truth.ts';

export interface StreamsOptions {
  readonly market: Market;
  readonly connections: Connections;
  readonly clock: ExchangeClock;
  readonly closeDelayMs: CloseDelay;
  readonly klinesBeforeTrades: boolean;
}

/** Trades by symbol, each in id order. */
export type Tape = Readonly<Record<string, readonly AggTrade[]>>;

export interface Streams {
  onStream(stream: string, isWatched: boolean): void;
  /** Does `send` after `delayMs` of exchange time. */
  after(delayMs: number, send: () => void): void;
  publish(symbol: string, trades: Iterable<AggTrade>): void;
  play(tape: Tape): Promise<void>;
  playAll(tape: Tape): Promise<void>;
  advanceTo(time: number): void;
  /** Running clock: sends what has fallen due. */
  tick(): void;
  /** Running clock: the same without pings; answers the time up to which all has happened. */
  catchUp(): number;
  /** When something is due to be sent (ms); `Infinity` if nothing is. */
  nextDue(): number;
}

interface Queued {
  readonly symbol: string;
  readonly trade: AggTrade;
}

/** `playAll` waits for the clients when so much is unsent. */
const BUFFERED_BYTES_MAX = 4 * 1024 * 1024;

/** Trades between two looks at the clients' buffers. */
const PLAY_CHUNK = 500;

export function createStreams(options: StreamsOptions): Streams {
  const { market, connections, clock } = options;
  const manual = isManual(clock) ? clock : undefined;
  const klines = createKlineSchedule({ market, closeDelayMs: options.closeDelayMs });
  const tickers = createMiniTickers(market, connections);
  let delayed: { readonly due: number; readonly send: () => void }[] = [];
  let queue: Queued[] = [];
  let queueStart = 0;
  let onQueueEmpty: (() => void)[] = [];

  /** `at`: the moment that is being made up for; no window may close on the way whose trades are still to come. */
  function emit(symbol: string, trade: AggTrade, at: number): void {
    const stream = `${symbol.toLowerCase()}@aggTrade`;
    market.append(symbol, [trade]);
    klines.touch(symbol, at);
    tickers.touch(symbol, at);
    if (options.klinesBeforeTrades) sendKlines(at);
    if (connections.subscribers(stream) === 0) return;
    connections.broadcast(stream, aggTradeEvent(symbol, trade, clock.now()));
  }

  function sendKlines(now: number): void {
    for (const { symbol, interval, candle, closed, eventTime } of klines.take(now)) {
      const stream = `${symbol.toLowerCase()}@kline_${interval}`;
      connections.broadcast(stream, klineEvent(symbol, interval, candle, closed, eventTime));
    }
  }

  function sendDelayed(now: number): void {
    const ready = delayed.filter(({ due }) => due <= now).sort((one, two) => one.due - two.due);
    if (ready.length === 0) return;
    delayed = delayed.filter(({ due }) => due > now);
    for (const { send } of ready) send();
  }

  function sendQueued(now: number): void {
    for (let next = queue[queueStart]; next && next.trade.T <= now; next = queue[queueStart]) {
      queueStart += 1;
      emit(next.symbol, next.trade, now);
    }
    if (queueStart < queue.length || onQueueEmpty.length === 0) return;
    queue = [];
    queueStart = 0;
    const resolves = onQueueEmpty;
    onQueueEmpty = [];
    for (const resolve of resolves) resolve();
  }

  /** All that is due up to `now`, at its own moment: what closes before what trades. */
  function send(now: number): void {
    sendDelayed(now);
    sendKlines(now);
    sendQueued(now);
    tickers.send(now);
  }

  function nextDue(): number {
    const nextTrade = queue[queueStart]?.trade.T ?? Infinity;
    const nextDelayed = delayed.reduce((low, { due }) => Math.min(low, due), Infinity);
    return Math.min(klines.nextDue(), tickers.nextDue(), nextTrade, nextDelayed);
  }

  function run(to: number): void {
    for (let due = nextDue(); due <= to; due = nextDue()) {
      if (due > clock.now()) manual?.set(due);
      send(due);
    }
    if (to > clock.now()) manual?.set(to);
  }

  function catchUp(): number {
    const now = clock.now();
    connections.corked(() => run(now));
    return now;
  }

  function publish(symbol: string, trades: Iterable<AggTrade>): void {
    connections.corked(() => {
      for (const trade of trades) {
        if (manual && trade.T > manual.now()) run(trade.T);
        emit(symbol, trade, clock.now());
      }
      if (manual) run(manual.now());
    });
  }

  return {
    onStream(stream, isWatched) {
      const [name = '', type = ''] = stream.split('@');
      const interval = type.replace(/^kline_/, '');
      if (!type.startsWith('kline_') || !isInterval(interval)) return;
      if (isWatched) klines.watch(name.toUpperCase(), interval, clock.now());
      else klines.unwatch(name.toUpperCase(), interval);
    },
    after(delayMs, sendLater) {
      delayed.push({ due: clock.now() + delayMs, send: sendLater });
    },
    nextDue,
    publish,
    play(tape) {
      queue = merge([...queue.slice(queueStart), ...flatten(tape)]);
      queueStart = 0;
      if (queue.length === 0) return Promise.resolve();
      return new Promise((resolve) => {
        onQueueEmpty.push(resolve);
      });
    },
    async playAll(tape) {
      const all = merge(flatten(tape));
      for (let start = 0; start < all.length; start += PLAY_CHUNK) {
        connections.corked(() => {
          for (const { symbol, trade } of all.slice(start, start + PLAY_CHUNK)) {
            publishOne(symbol, trade);
          }
        });
        await drained(connections);
      }
    },
    advanceTo(time) {
      if (!manual) throw new Error('advanceTo expects an exchange with a manual clock');
      if (time < manual.now()) throw new RangeError(`Expected ≥ ${manual.now()}, was ${time}`);
      connections.corked(() => run(time));
      connections.keepAlive();
    },
    tick() {
      catchUp();
      connections.keepAlive();
    },
    catchUp,
  };

  function publishOne(symbol: string, trade: AggTrade): void {
    if (manual && trade.T > manual.now()) run(trade.T);
    emit(symbol, trade, clock.now());
  }
}

function flatten(tape: Tape): Queued[] {
  return Object.entries(tape).flatMap(([symbol, trades]) =>
    trades.map((trade) => ({ symbol, trade })),
  );
}

/** By T; the sort is stable, so a symbol's own order is kept. */
function merge(queue: Queued[]): Queued[] {
  return queue.sort((left, right) => left.trade.T - right.trade.T);
}

/** Lets the sockets write, and waits while a client is behind. */
async function drained(connections: Connections): Promise<void> {
  do {
    await new Promise((resolve) => setImmediate(resolve));
  } while (connections.bufferedBytes() > BUFFERED_BYTES_MAX);
}
