// A server that speaks the browser protocol with generated candles and can be put into every state. Not the product's server.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  DEFAULT_CALENDAR,
  INTERVAL_MS,
  INTERVALS,
  type Interval,
  isInterval,
  openTimeOf,
} from '../../src/core/market/interval.ts';
import { epochMs } from '../../src/core/market/time.ts';
import {
  type AuditDay,
  type BrowserRequest,
  HEARTBEAT_MS,
  type ServerMessage,
  type StatusView,
} from '../../src/protocol/browser.ts';
import {
  generatedCandle,
  generatedPage,
  openCandle,
  STUB_HISTORY_WINDOWS,
  STUB_SYMBOLS,
  type StubSymbol,
} from './generated-candles.ts';
import {
  answerJson,
  bodyOf,
  stubAudit,
  stubAuditDay,
  stubListings,
  stubSummary,
} from './stub-api.ts';
import { type StubBackfills, stubBackfills } from './stub-backfills.ts';

export interface StubOptions {
  readonly port?: number;
  /** Whether the symbols have candles at all. */
  readonly isEmpty?: boolean;
  readonly source?: StatusView['source'];
  /** How far the exchange's clock is ahead of this machine's, ms. */
  readonly exchangeAheadMs?: number;
  readonly updateMs?: number;
  readonly symbols?: readonly StubSymbol[];
  /** Changes what is said of the day's audit; undefined: the server tells nothing of audits. */
  readonly audit?: ((audit: AuditDay) => AuditDay) | undefined;
  /** `absent`: as a server that knows of none. */
  readonly listings?: 'absent' | 'failing';
  /** What every wish to add or remove a symbol is refused with. */
  readonly refusal?: string;
  /** How long a symbol takes to come or go. */
  readonly symbolMs?: number;
  /** What becomes of each back-fill; absent: as a server that can fetch nothing. */
  readonly backfill?: Parameters<typeof stubBackfills>[0]['outcome'];
  /** How long it takes; `held`: until `backfills.finish`. */
  readonly backfillMs?: number | 'held';
}

export interface StubServer {
  readonly url: string;
  readonly port: number;
  /** Requests for pages of candles, as they came. */
  readonly pageRequests: URLSearchParams[];
  readonly backfills: Pick<StubBackfills, 'asked' | 'finish'>;
  setStatus(status: StubStatus): void;
  /** Stops updates only: the heartbeat goes on. */
  pauseUpdates(isPaused: boolean): void;
  /** Says nothing more on open sockets, which stay open. */
  setSilent(isSilent: boolean): void;
  send(message: ServerMessage): void;
  close(): Promise<void>;
}

/** `storeFault: ''` ends the fault. */
type StubStatus = Partial<
  Pick<StatusView, 'state' | 'reason' | 'symbols' | 'source' | 'storeFault'>
>;

interface View {
  readonly symbol: StubSymbol;
  readonly interval: Interval;
}

const BINANCE: StatusView['source'] = {
  kind: 'binance',
  id: 'binance:binance.com',
  label: 'Binance (binance.com)',
};
const DIST = join(import.meta.dirname, '../../web/dist');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
/** As strict as a server can be: what the page needs beyond it would be a fault. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

/** Listens on 127.0.0.1. Serves web/dist, which must be built. */
export async function startStubServer(options: StubOptions = {}): Promise<StubServer> {
  const ahead = options.exchangeAheadMs ?? 0;
  let symbols = options.symbols ?? STUB_SYMBOLS;
  const changeAudit = 'audit' in options ? options.audit : (audit: AuditDay) => audit;
  const startedAt = Date.now() + ahead;
  const views = new Map<WebSocket, View | undefined>();
  const pageRequests: URLSearchParams[] = [];
  const { backfill: outcome = 'filled', backfillMs: ms = 1_200 } = options;
  const backfills = stubBackfills({ outcome, ms });
  let isSilent = false;
  let isPaused = false;
  let state: StubStatus & Pick<StatusView, 'state' | 'since' | 'symbols' | 'source'> = {
    state: 'live',
    since: Date.now() - 754_000,
    symbols: {},
    source: options.source ?? BINANCE,
  };

  const exchangeNow = () => Date.now() + ahead;
  const status = (): StatusView => {
    const { storeFault, ...rest } = state;
    return {
      ...rest,
      ...(storeFault === undefined || storeFault === '' ? {} : { storeFault }),
      exchangeTime: exchangeNow(),
      serverTime: Date.now(),
      feedDelayMs: 12,
    };
  };
  const page = (view: View, before: number, limit: number) => {
    if (options.isEmpty === true) return { candles: [], more: false };
    const origin = openTimeOf(view.interval, epochMs(startedAt), DEFAULT_CALENDAR);
    const filled = backfills.filled(view.symbol.name, view.interval);
    // None is of a time to come.
    const end = Math.min(before, exchangeNow());
    return generatedPage(view.symbol, view.interval, end, limit, origin, filled);
  };
  const live = (view: View) => {
    const origin = openTimeOf(view.interval, epochMs(startedAt), DEFAULT_CALENDAR);
    return openCandle(view.symbol, view.interval, exchangeNow(), origin);
  };

  function send(socket: WebSocket, message: ServerMessage): void {
    if (!isSilent) socket.send(JSON.stringify(message));
  }

  function answer(socket: WebSocket, request: BrowserRequest): void {
    if (request.type === 'ping') {
      send(socket, { type: 'pong', sentAt: request.sentAt, serverTime: Date.now() });
      return;
    }
    const symbol = symbols.find(({ name }) => name === request.symbol);
    if (symbol === undefined) {
      send(socket, { type: 'error', message: `unknown symbol "${request.symbol}"` });
      return;
    }
    const view = { symbol, interval: request.interval };
    views.set(socket, view);
    const last = live(view);
    const { candles, more } = page(view, last?.[0] ?? exchangeNow(), request.limit - 1);
    if (last !== undefined && options.isEmpty !== true) candles.push(last);
    send(socket, {
      type: 'snapshot',
      symbol: symbol.name,
      interval: view.interval,
      candles,
      more,
    });
    if (changeAudit !== undefined && options.isEmpty !== true) {
      send(socket, { type: 'audit', symbol: symbol.name, audit: auditOf(symbol.name) });
    }
  }

  function auditOf(symbol: string): AuditDay {
    const audit = stubAuditDay(symbol, exchangeNow());
    return changeAudit?.(audit) ?? audit;
  }

  function answerListings(query: URLSearchParams, response: ServerResponse): void {
    if (options.listings === 'absent') response.writeHead(404).end();
    else if (options.listings === 'failing') {
      answerJson(response, { error: { code: 'x', message: 'the exchange is not reachable' } }, 503);
    } else answerJson(response, { listings: stubListings(query.get('query') ?? ''), more: false });
  }

  async function answerWish(
    request: IncomingMessage,
    path: string,
    response: ServerResponse,
  ): Promise<void> {
    if (options.refusal !== undefined) {
      answerJson(response, { error: { code: 'x', message: options.refusal } }, 403);
      return;
    }
    const isAdd = request.method === 'POST';
    const name = isAdd ? String(JSON.parse(await bodyOf(request)).symbol) : path.split('/').at(-1);
    answerJson(response, { symbol: name }, 202);
    setTimeout(() => {
      const others = symbols.filter((symbol) => symbol.name !== name);
      const added = { name: name ?? '', price: 12.3, digits: 2, volume: 900, volumeDigits: 2 };
      symbols = isAdd ? [...others, added] : others;
      const message = { type: 'symbols', symbols: symbols.map((symbol) => symbol.name) } as const;
      for (const socket of views.keys()) send(socket, message);
    }, options.symbolMs ?? 300);
  }

  function answerAudits(query: URLSearchParams, response: ServerResponse): void {
    const symbol = symbols.find(({ name }) => name === query.get('symbol'));
    if (symbol === undefined) {
      response.writeHead(404).end();
      return;
    }
    const origin = openTimeOf('1m', epochMs(startedAt), DEFAULT_CALENDAR);
    const row = generatedCandle(symbol, '1m', epochMs(Number(query.get('from'))), origin);
    const behind = row === undefined ? 0 : (origin - row[0]) / 60_000;
    answerJson(response, {
      audits: row === undefined ? [] : [stubAudit(symbol.name, row, behind)],
      more: false,
    });
  }

  const routes: Readonly<Record<string, (query: URLSearchParams, to: ServerResponse) => void>> = {
    '/api/v1/candles': answerPage,
    '/api/v1/audits': answerAudits,
    '/api/v1/audits/summary': (query, to) => {
      const symbol = query.get('symbol') ?? '';
      answerJson(to, stubSummary(symbol, auditOf(symbol), startedAt));
    },
    '/api/v1/listings': answerListings,
  };

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://stub');
    const route = routes[url.pathname];
    if (route !== undefined) {
      route(url.searchParams, response);
      return;
    }
    if (url.pathname.startsWith('/api/v1/symbols')) {
      void answerWish(request, url.pathname, response);
      return;
    }
    if (url.pathname.startsWith('/api/v1/backfills')) {
      void backfills.answer(request, url.pathname, response);
      return;
    }
    const path = join(DIST, normalize(url.pathname === '/' ? '/index.html' : url.pathname));
    if (!path.startsWith(DIST) || !existsSync(path) || !statSync(path).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      'content-security-policy': CSP,
    });
    createReadStream(path).pipe(response);
  }

  function answerPage(query: URLSearchParams, response: ServerResponse): void {
    pageRequests.push(query);
    const symbol = symbols.find(({ name }) => name === query.get('symbol'));
    const interval = query.get('interval') ?? '';
    if (symbol === undefined || !isInterval(interval)) {
      response.writeHead(400).end();
      return;
    }
    const view = { symbol, interval };
    const limit = Number(query.get('limit'));
    const after = query.get('after');
    const filled = backfills.filled(symbol.name, interval).map(({ from }) => from);
    const kept = Date.now() - STUB_HISTORY_WINDOWS * INTERVAL_MS[interval];
    const oldest = Math.min(kept, ...filled);
    const next = Math.max(Number(after), oldest) + (limit + 1) * INTERVAL_MS[interval];
    const body = page(view, after === null ? Number(query.get('before')) : next, limit);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  const server = createServer(handle);
  const sockets = new WebSocketServer({ server, path: '/api/v1/live' });
  sockets.on('connection', (socket) => {
    views.set(socket, undefined);
    socket.on('close', () => views.delete(socket));
    socket.on('message', (data) => answer(socket, JSON.parse(String(data)) as BrowserRequest));
    send(socket, {
      type: 'hello',
      version: '0.1.0',
      symbols: symbols.map(({ name }) => name),
      intervals: INTERVALS,
      status: status(),
      ...(options.backfill === undefined ? {} : { canBackfill: true }),
    });
  });
  const heartbeat = setInterval(() => {
    for (const socket of views.keys()) send(socket, { type: 'status', status: status() });
  }, HEARTBEAT_MS);
  const updates = setInterval(() => {
    if (isPaused || options.isEmpty === true) return;
    for (const [socket, view] of views) {
      const row = view && live(view);
      if (view === undefined || row === undefined) continue;
      const closed = page(view, row[0], 1).candles;
      send(socket, {
        type: 'update',
        symbol: view.symbol.name,
        interval: view.interval,
        candles: [...closed, row],
        eventTime: exchangeNow() - 24,
        sentAt: Date.now(),
      });
    }
  }, options.updateMs ?? 100);

  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    port,
    pageRequests,
    backfills,
    setStatus(next) {
      state = { ...state, since: Date.now(), ...next };
      for (const socket of views.keys()) send(socket, { type: 'status', status: status() });
    },
    pauseUpdates(next) {
      isPaused = next;
    },
    setSilent(next) {
      isSilent = next;
    },
    send(message) {
      for (const socket of views.keys()) send(socket, message);
    },
    async close() {
      clearInterval(heartbeat);
      clearInterval(updates);
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
