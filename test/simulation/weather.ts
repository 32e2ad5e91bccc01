// What is wrong with network, exchange and disk at the moment, and what that does to frames and requests. Decides by chance, holds no timer.
import type { Frame, FrameFault } from '../fake-exchange/faults.ts';
import type { RestResponse } from '../fake-exchange/rest.ts';
import { malformed } from './malformed.ts';
import type { Draw } from './random.ts';

export interface Weather {
  /** Probabilities a frame. */
  dropTrades: number;
  doubleTrades: number;
  reorderTrades: number;
  malformedFrames: number;
  dropKlines: number;
  doubleKlines: number;
  /** Trades are held back by so much (ms): their klines come first. */
  tradesLateMs: number;
  closedKlinesLateMs: number;
  /** One way (ms), beside the link's own. */
  slownessMs: number;
  connecting: 'works' | 'refused' | 'hangs' | 418 | 429 | 500 | 503;
  rest: 'works' | RestTrouble;
  /** Share of the requests that are hit. */
  restShare: number;
  restSlowMs: number;
  restLagMs: number;
  /** Exchange time (ms) at which a Retry-After ends. */
  retryAt: number;
  /** The endpoint that is hit; `undefined`: all. */
  host: string | undefined;
  store: 'works' | 'fails';
  storeSlowMs: number;
}

export type RestTrouble =
  | 'hangs'
  | 'refused'
  | 'aborted'
  | 'short'
  | 'html'
  | 403
  | 418
  | 429
  | 500;

export function fairWeather(): Weather {
  return {
    dropTrades: 0,
    doubleTrades: 0,
    reorderTrades: 0,
    malformedFrames: 0,
    dropKlines: 0,
    doubleKlines: 0,
    tradesLateMs: 0,
    closedKlinesLateMs: 0,
    slownessMs: 0,
    connecting: 'works',
    rest: 'works',
    restShare: 1,
    restSlowMs: 0,
    restLagMs: 0,
    retryAt: 0,
    host: undefined,
    store: 'works',
    storeSlowMs: 0,
  };
}

/** Longest time a frame is overtaken by others (ms). */
const REORDER_MS_MAX = 1_500;

/** What the weather does to frames. */
export function weatherFault(weather: Weather, draw: Draw): FrameFault {
  return (frame) => {
    if (draw.chance(weather.malformedFrames)) {
      const bad = { ...frame, text: malformed(frame.text, draw) };
      return draw.chance(0.5) ? [bad] : [bad, frame];
    }
    return frame.stream.endsWith('@aggTrade')
      ? tradeFrames(weather, draw, frame)
      : klineFrames(weather, draw, frame);
  };
}

function tradeFrames(weather: Weather, draw: Draw, frame: Frame): readonly Frame[] {
  if (draw.chance(weather.dropTrades)) return [];
  const late = () => lateBy(frame, tradeLateMs(weather, draw));
  return draw.chance(weather.doubleTrades) ? [late(), late()] : [late()];
}

function klineFrames(weather: Weather, draw: Draw, frame: Frame): readonly Frame[] {
  if (draw.chance(weather.dropKlines)) return [];
  const late = () => lateBy(frame, klineLateMs(weather, draw, frame.text));
  return draw.chance(weather.doubleKlines) ? [late(), late()] : [late()];
}

function lateBy(frame: Frame, delayMs: number): Frame {
  return delayMs > 0 ? { ...frame, delayMs } : frame;
}

function tradeLateMs(weather: Weather, draw: Draw): number {
  if (weather.tradesLateMs > 0) return weather.tradesLateMs;
  return draw.chance(weather.reorderTrades) ? draw.integer(1, REORDER_MS_MAX) : 0;
}

function klineLateMs(weather: Weather, draw: Draw, text: string): number {
  const most = weather.closedKlinesLateMs;
  return most > 0 && text.includes('"x":true') ? draw.integer(1, most) : 0;
}

export type RestVerdict = RestResponse | 'hangs' | 'refused' | 'aborted' | undefined;

/** What becomes of a request at the exchange; `undefined`: it is served. */
export function restVerdict(weather: Weather, host: string, now: number, draw: Draw): RestVerdict {
  const { rest } = weather;
  if (rest === 'works' || rest === 'short') return undefined;
  if (weather.host !== undefined && weather.host !== host) return undefined;
  if (!draw.chance(weather.restShare)) return undefined;
  const json = { 'content-type': 'application/json;charset=UTF-8' };
  switch (rest) {
    case 'hangs':
    case 'refused':
    case 'aborted':
      return rest;
    case 'html':
      return { status: 200, headers: {}, body: '<html><body>Please log in</body></html>' };
    case 403:
      return { status: 403, headers: {}, body: '<html><h1>403 Forbidden</h1></html>' };
    case 418:
    case 429: {
      const seconds = Math.max(1, Math.ceil((weather.retryAt - now) / 1_000));
      const body = `{"code":-1003,"msg":"Too much request weight used"}`;
      return { status: rest, headers: { ...json, 'retry-after': String(seconds) }, body };
    }
    case 500:
      return { status: draw.pick([500, 502, 503, 504]), headers: {}, body: 'Internal error' };
  }
}

/** A page with fewer rows than there are. */
export function shortened(answer: RestResponse, draw: Draw): RestResponse {
  const rows: unknown = answer.status === 200 ? JSON.parse(answer.body) : undefined;
  if (!Array.isArray(rows) || rows.length < 2) return answer;
  return { ...answer, body: JSON.stringify(rows.slice(0, draw.integer(1, rows.length))) };
}
