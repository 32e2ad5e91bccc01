// Back-fills asked for over HTTP: what is refused and why, how one stands, and how it ends. A real store; the exchange's past is driven by hand.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import type { Candle } from '../../core/market/candle.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import { HOUR_MS, MINUTE_MS } from '../../core/market/time.ts';
import type { HistorySpan, KlinePages } from '../../feed/kline-history.ts';
import { BACKFILL_WINDOWS_MAX, type BackfillView } from '../../protocol/backfill.ts';
import {
  BACKFILL_SILENCE_MS_MAX,
  BACKFILLS_AT_ONCE_MAX,
  BACKFILLS_KEPT_MAX,
  createBackfills,
} from '../../stages/backfills.ts';
import { manualClock } from '../../stages/serve/testing/manual-clock.ts';
import { aCandle, BTCUSDT, liveStatus } from '../../stages/serve/testing/market-fixtures.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts';
import type { ServerOptions } from '../create-server.ts';
import { openSocket, type TestServer, testServer } from '../testing/test-server.ts';

const NOW = manualClock().now();
/** The gap: ten minutes, an hour ago. */
const FROM = NOW - HOUR_MS;
const TO = FROM + 10 * MINUTE_MS;
const GAP = { symbol: 'BTCUSDT', interval: '1m', from: FROM, to: TO };

const folder = mkdtempSync(join(tmpdir(), 'backfills-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

interface DrivenPast {
  readonly history: KlinePages;
  readonly asked: readonly HistorySpan[];
  /** Answers who waits, or will next. */
  page(candles: readonly Candle[]): void;
  end(): void;
  fail(error: Error): void;
}

function drivenPast(): DrivenPast {
  const asked: HistorySpan[] = [];
  let next = Promise.withResolvers<readonly Candle[] | undefined>();
  return {
    asked,
    page: (candles) => next.resolve(candles),
    end: () => next.resolve(undefined),
    fail: (error) => next.reject(error),
    history: {
      start: async () => NOW,
      async *candles(span, signal) {
        asked.push(span);
        for (;;) {
          signal.throwIfAborted();
          const own = Promise.withResolvers<readonly Candle[] | undefined>();
          signal.addEventListener('abort', () => own.reject(signal.reason));
          next = own;
          const page = await own.promise;
          if (page === undefined) return;
          yield page;
        }
      },
    },
  };
}

interface Setting extends TestServer {
  readonly past: DrivenPast;
  readonly kept: CandleStore;
  post(payload: object, headers?: Record<string, string>): Promise<Answer>;
  cancel(id: string): Promise<Answer>;
  /** How it stands, once it is as wished. */
  until(id: string, isIt: (backfill: BackfillView) => boolean): Promise<BackfillView>;
}

interface Answer {
  readonly status: number;
  readonly backfill: BackfillView;
  readonly message: string;
}

async function setUp(overrides: Partial<Omit<ServerOptions, 'clock'>> = {}): Promise<Setting> {
  files += 1;
  const source = { kind: 'binance', host: 'binance.com' } as const;
  const kept = await openSqliteStore({ path: join(folder, `${files}.db`), source });
  await kept.write([aCandle(FROM - MINUTE_MS), aCandle(TO)]);
  const past = drivenPast();
  const clock = manualClock();
  const backfills = createBackfills({
    history: past.history,
    store: kept,
    keepSecondsMs: HOUR_MS,
    clock,
    logger: pino({ level: 'silent' }),
  });
  const test = await testServer({ store: kept, clock, backfills, ...overrides });
  test.market.applyStatus(liveStatus(NOW, { source }));
  const ask = async (method: 'POST' | 'GET' | 'DELETE', url: string, more: object = {}) => {
    const response = await test.server.app.inject({ method, url, ...more });
    const { backfill, error } = response.json();
    return { status: response.statusCode, backfill, message: error?.message ?? '' };
  };
  return {
    ...test,
    past,
    kept,
    post: (payload, headers = {}) => ask('POST', '/api/v1/backfills', { payload, headers }),
    cancel: (id) => ask('DELETE', `/api/v1/backfills/${id}`),
    async until(id, isIt) {
      for (let turn = 0; turn < 2_000; turn++) {
        const { backfill } = await ask('GET', `/api/v1/backfills/${id}`);
        if (isIt(backfill)) return backfill;
        await setImmediate();
      }
      return assert.fail(`Back-fill ${id} never became so`);
    },
    async [Symbol.asyncDispose]() {
      await backfills[Symbol.asyncDispose]();
      await test[Symbol.asyncDispose]();
      await kept[Symbol.asyncDispose]();
    },
  };
}

const candles = (from: number, to: number): readonly Candle[] =>
  Array.from({ length: (to - from) / MINUTE_MS }, (_, index) =>
    aCandle(from + index * MINUTE_MS, { source: 'klines', trades: index }),
  );

const isOver = ({ state }: BackfillView) => state !== 'running';

describe('/api/v1/backfills', () => {
  it('fetches what is missing and no more, tells how far it is, and the page has it', async () => {
    await using test = await setUp();
    const { status, backfill } = await test.post(GAP);
    assert.equal(status, 202);
    assert.deepEqual(
      { ...backfill, id: '' },
      {
        ...GAP,
        id: '',
        state: 'running',
        candles: 0,
        windows: 0,
        windowsTotal: 0,
      },
    );
    await test.until(backfill.id, ({ windowsTotal }) => windowsTotal === 10);
    assert.deepEqual([test.past.asked[0]?.from, test.past.asked[0]?.to], [FROM, TO]);
    test.past.page(candles(FROM, FROM + 4 * MINUTE_MS));
    await test.until(backfill.id, ({ windows, candles }) => windows === 4 && candles === 4);
    // The exchange itself has none for the last three.
    test.past.page(candles(FROM + 4 * MINUTE_MS, TO - 3 * MINUTE_MS));
    await test.until(backfill.id, ({ windows }) => windows === 7);
    test.past.end();
    const end = await test.until(backfill.id, isOver);
    assert.deepEqual([end.state, end.candles, end.windows, end.windowsTotal], ['done', 7, 10, 10]);
    const url = `/api/v1/candles?symbol=BTCUSDT&interval=1m&before=${TO}&limit=50`;
    const page = (await test.server.app.inject(url)).json();
    assert.equal(page.candles.length, 8);
    // Asked for again, the four that are there are not.
    await test.post({ ...GAP, to: FROM + 4 * MINUTE_MS });
    assert.equal(test.past.asked.length, 1);
  });

  it('refuses what cannot be, and says what could', async () => {
    await using test = await setUp({ intervals: ['1m', '1h'] });
    const long = FROM - (BACKFILL_WINDOWS_MAX + 1) * MINUTE_MS;
    for (const [change, status, message] of [
      [{ symbol: 'A/B' }, 400, /was "A\/B"/],
      [{ symbol: 'NOSUCHUSDT' }, 404, /"NOSUCHUSDT" is not followed; POST \/api\/v1\/symbols/],
      [{ interval: '7q' }, 400, /Expected \{"symbol".*interval/],
      [{ interval: '5m' }, 400, /one of the intervals 1m, 1h, was "5m"/],
      [{ from: '2020' }, 400, /from: /],
      [{ from: TO, to: FROM }, 400, /"from" before "to"/],
      [{ from: long, to: FROM }, 400, /at most 100000 candles of 1m \(69 days\).*backfill --from/],
      [{ from: NOW - 5 * MINUTE_MS, to: NOW }, 400, /more than 10 minutes ago/],
    ] as const) {
      const answer = await test.post({ ...GAP, ...change });
      assert.equal(answer.status, status, JSON.stringify(change));
      assert.match(answer.message, message);
    }
    assert.match((await test.cancel('nothing')).message, /No back-fill "nothing" is known/);
    assert.equal(test.past.asked.length, 0);
  });

  it('asks no exchange that is not there', async () => {
    await using test = await setUp();
    test.market.applyStatus(
      liveStatus(NOW, { state: 'offline', reason: 'ENOTFOUND api.binance.com' }),
    );
    const answer = await test.post(GAP);

    assert.equal(answer.status, 409);
    assert.match(answer.message, /while the feed is offline \(ENOTFOUND.*\): try again/);
  });

  it('runs one a symbol: the same again is the same one, another waits until it has ended', async () => {
    await using test = await setUp();
    const { backfill } = await test.post(GAP);
    assert.equal((await test.post(GAP)).backfill.id, backfill.id);
    const other = await test.post({ ...GAP, interval: '5m' });
    assert.equal(other.status, 409);
    assert.match(other.message, new RegExp(`BTCUSDT 1m is running \\(${backfill.id}.*DELETE`));
    await test.until(backfill.id, ({ windowsTotal }) => windowsTotal === 10);
    test.past.page(candles(FROM, FROM + 2 * MINUTE_MS));
    await test.until(backfill.id, ({ candles }) => candles === 2);
    assert.equal((await test.cancel(backfill.id)).backfill.state, 'cancelled');
    const found = await test.kept.read({
      symbol: BTCUSDT,
      interval: '1m',
      limit: 50,
      take: 'first',
    });
    assert.equal(found.length, 4, 'what was fetched stays');
    assert.equal((await test.post({ ...GAP, interval: '5m' })).status, 202);
  });

  it('runs so many at once, and remembers so many', async () => {
    await using test = await setUp();
    for (let index = 0; index <= BACKFILLS_AT_ONCE_MAX; index++) {
      const symbol = marketSymbol(`C${index}USDT`);
      test.market.applyWish({ symbol, wanted: true, at: NOW });
      const { status, message } = await test.post({ ...GAP, symbol });
      const isRoom = index < BACKFILLS_AT_ONCE_MAX;
      assert.equal(status, isRoom ? 202 : 409);
      if (!isRoom) assert.match(message, /4 back-fills are running/);
    }
    await using small = await setUp();
    const ids: string[] = [];
    for (let index = 0; index <= BACKFILLS_KEPT_MAX; index++) {
      const { backfill } = await small.post(GAP);
      ids.push(backfill.id);
      await small.cancel(backfill.id);
    }
    const known = await Promise.all(ids.map(async (id) => (await small.cancel(id)).status));
    assert.deepEqual([known[0], known[1], known.at(-1)], [404, 200, 200]);
  });

  it('fails in the exchange’s words, or when nothing comes for too long', async () => {
    await using test = await setUp();
    const { backfill } = await test.post(GAP);
    await test.until(backfill.id, ({ windowsTotal }) => windowsTotal === 10);
    test.past.fail(new Error('api.binance.com: 451 from here'));
    const refused = await test.until(backfill.id, isOver);
    assert.deepEqual([refused.state, refused.reason], ['failed', 'api.binance.com: 451 from here']);
    const { backfill: next } = await test.post(GAP);
    await test.until(next.id, ({ windowsTotal }) => windowsTotal === 10);
    await test.clock.advance(BACKFILL_SILENCE_MS_MAX);
    await test.clock.advance(BACKFILL_SILENCE_MS_MAX);
    const silent = await test.until(next.id, isOver);
    assert.equal(silent.state, 'failed');
    assert.match(silent.reason ?? '', /Nothing came for 120 s, the exchange does not answer/);
  });

  it('takes none from another site, nor without the token on another address', async () => {
    await using test = await setUp();
    assert.equal((await test.post(GAP, { origin: 'https://evil.example' })).status, 403);
    await using open = await setUp({ host: '0.0.0.0', accessToken: 'secret' });
    const host = { host: '10.0.0.1:8501' };
    assert.equal((await open.post(GAP, host)).status, 401);
    assert.equal((await open.post(GAP, { ...host, authorization: 'Bearer secret' })).status, 202);
  });

  it('is offered to the dashboard only where there is a past to ask for', async () => {
    await using test = await setUp();
    const url = await test.server.listen();
    const { socket, next } = await openSocket(`${url}/api/v1/live`);
    assert.equal((await next('hello'))['canBackfill'], true);
    socket.terminate();
    await using bare = await testServer();
    const { socket: other, next: nextOfBare } = await openSocket(
      `${await bare.server.listen()}/api/v1/live`,
    );
    assert.equal((await nextOfBare('hello'))['canBackfill'], false);
    other.terminate();
    const answer = await bare.server.app.inject({
      method: 'POST',
      url: '/api/v1/backfills',
      payload: GAP,
    });
    assert.equal(answer.statusCode, 409);
    assert.match(answer.json().error.message, /Simulated market, seed 7 has no past to ask for/);
  });
});
