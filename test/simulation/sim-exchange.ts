// The fake exchange under virtual time: market, limits, streams and REST without a socket. The weather decides what of it reaches anybody.
import { type ManualClock, manualClock } from '../fake-exchange/clock.ts';
import {
  type Breach,
  type Client,
  type ClientEvents,
  type Connections,
  createConnections,
} from '../fake-exchange/connections.ts';
import type { CloseDelay } from '../fake-exchange/kline-schedule.ts';
import { createMarket, type Market, type SymbolOptions } from '../fake-exchange/market.ts';
import type { RestResponse } from '../fake-exchange/rest.ts';
import { createRequestLimiter } from '../fake-exchange/rest-limits.ts';
import { type RestSide, takeRequest } from '../fake-exchange/rest-server.ts';
import { createStreams, type Tape } from '../fake-exchange/streams.ts';
import type { Draw } from './random.ts';
import type { DueSource } from './virtual-time.ts';
import { restVerdict, shortened, type Weather, weatherFault } from './weather.ts';

export interface SimExchange extends DueSource {
  readonly market: Market;
  readonly weather: Weather;
  readonly breaches: readonly Breach[];
  readonly connections: Connections;
  /** A limit was broken that only the network sees. */
  breached(type: Breach['type'], detail: string): void;
  /** What becomes of an attempt to connect; `undefined`: `open` it. */
  admit(url: URL): 'refused' | 'hangs' | number | undefined;
  open(url: URL, client: Client): ClientEvents;
  answer(url: URL): RestResponse | 'hangs' | 'refused' | 'aborted';
}

export interface SimExchangeOptions {
  readonly start: number;
  readonly symbols: readonly SymbolOptions[];
  readonly tape: Tape;
  readonly closeDelayMs: CloseDelay;
  readonly klinesBeforeTrades: boolean;
  readonly lifetimeMs: number;
  readonly weather: Weather;
  readonly draw: Draw;
}

/** Pings and ages are looked at this often (exchange ms). */
const KEEP_ALIVE_MS = 1_000;
const PING_INTERVAL_MS = 20_000;
const PONG_TIMEOUT_MS = 60_000;

export function createSimExchange(options: SimExchangeOptions): SimExchange {
  const { weather, draw } = options;
  const clock: ManualClock = manualClock(options.start);
  const market = createMarket(options.symbols);
  const limiter = createRequestLimiter();
  const breaches: Breach[] = [];
  const faults = { onFrame: weatherFault(weather, draw), restLagMs: 0 };
  let aliveAt = options.start;

  function onBreach(type: Breach['type'], detail: string): void {
    breaches.push({ type, time: clock.now(), detail });
  }

  const connections = createConnections({
    faults: () => faults,
    now: clock.now,
    transportNow: clock.now,
    realNow: clock.now,
    pingIntervalMs: PING_INTERVAL_MS,
    pongTimeoutMs: PONG_TIMEOUT_MS,
    lifetimeMs: options.lifetimeMs,
    isBanned: () => limiter.isBanned(clock.now()),
    onBreach,
    onStream: (stream, isWatched) => streams.onStream(stream, isWatched),
    onDelayed: (delayMs, send) => streams.after(delayMs, send),
  });
  const streams = createStreams({ ...options, market, connections, clock });
  const rest: RestSide = {
    market,
    limiter,
    faults,
    requests: [],
    onBreach,
    now: clock.now,
    transportNow: clock.now,
  };
  void streams.play(options.tape);

  return {
    market,
    weather,
    breaches,
    connections,
    breached: onBreach,
    nextDue: () => Math.min(streams.nextDue(), aliveAt + KEEP_ALIVE_MS),
    runTo(time) {
      if (time < aliveAt + KEEP_ALIVE_MS && time === clock.now() && streams.nextDue() > time)
        return;
      if (time >= aliveAt + KEEP_ALIVE_MS) aliveAt = time;
      streams.advanceTo(time);
    },
    admit(url) {
      const { connecting, host } = weather;
      const isHit = connecting !== 'works' && (host === undefined || host === url.host);
      if (isHit && (connecting === 'refused' || connecting === 'hangs')) return connecting;
      const refusal = connections.refusal({ url: url.pathname + url.search, headers: {} });
      return refusal ?? (isHit ? (connecting as number) : undefined);
    },
    open: (url, client) => connections.open(url.pathname + url.search, client),
    answer(url) {
      const verdict = restVerdict(weather, url.host, clock.now(), draw);
      if (verdict !== undefined) return verdict;
      faults.restLagMs = weather.restLagMs;
      const { answer } = takeRequest(url, rest);
      rest.requests.length = 0;
      if (answer === 'hang') return 'hangs';
      // Of trades alone: their ids tell that some are missing. Klines cut short look like an outage of the exchange, or a REST that lags.
      const isShort = weather.rest === 'short' && url.pathname.endsWith('/aggTrades');
      return isShort ? shortened(answer, draw) : answer;
    },
  };
}
