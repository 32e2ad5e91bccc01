// A client of the product's own kline streams, all 16 intervals of each symbol: keeps every closed frame. Judges nothing.
import WebSocket from 'ws';
import { INTERVALS, type Interval } from '../fake-exchange/calendar.ts';

/** `k` of a kline event, as the product sends it. */
export interface ClosedFrame {
  readonly symbol: string;
  readonly interval: Interval;
  readonly openTime: number;
  readonly k: Readonly<Record<string, unknown>>;
}

export interface KlineWatch {
  /** Exchange time at which the streams were subscribed to (ms). */
  readonly openedAt: number;
  /** In the order they came. */
  readonly frames: readonly ClosedFrame[];
  /** Why the product ended the connection; undefined while it is open, or after `end`. */
  readonly cut: string | undefined;
  end(): void;
}

/** Resolves once subscribed. Rejects where the product refuses. */
export async function watchKlines(
  url: string,
  symbols: readonly string[],
  now: () => number,
): Promise<KlineWatch> {
  const streams = symbols.flatMap((symbol) =>
    INTERVALS.map((interval) => `${symbol.toLowerCase()}@kline_${interval}`),
  );
  const socket = new WebSocket(`${url.replace('http', 'ws')}/stream?streams=${streams.join('/')}`, {
    perMessageDeflate: false,
  });
  const frames: ClosedFrame[] = [];
  let isEnded = false;
  let cut: string | undefined;
  socket.on('message', (data) => {
    const text = String(data);
    if (!text.includes('"x":true')) return;
    const { k } = JSON.parse(text).data;
    frames.push({ symbol: k.s, interval: k.i, openTime: k.t, k });
  });
  const opened = Promise.withResolvers<void>();
  socket.on('open', opened.resolve);
  socket.on('error', opened.reject);
  socket.on('close', (code, reason) => {
    opened.reject(new Error(`The product closed the kline streams: ${code} ${reason}`));
    if (!isEnded) cut ??= `closed with ${code} ${reason}`;
  });
  await opened.promise;
  return {
    openedAt: now(),
    frames,
    get cut() {
      return cut;
    },
    end() {
      isEnded = true;
      socket.terminate();
    },
  };
}
