// `wickstream verify`: stored history against the fake exchange's klines over real sockets; each fault told with both values, and mended (I3, I5).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import { verify } from '../../src/app/commands/verify.ts';
import { ConfigError, readConfig } from '../../src/app/config.ts';
import { storePath } from '../../src/app/open-store.ts';
import { systemClock } from '../../src/app/system-clock.ts';
import { parseSpan, type SpanFlags } from '../../src/app/time-span.ts';
import type { Candle } from '../../src/core/market/candle.ts';
import { decimal } from '../../src/core/market/decimal.ts';
import { INTERVALS, type Interval } from '../../src/core/market/interval.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { epochMs } from '../../src/core/market/time.ts';
import { binanceSource } from '../../src/feed/binance/feed.ts';
import { type CandleStore, StoreError } from '../../src/store/candle-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange, type FakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateTrades } from '../fake-exchange/generate.ts';
import { type AggTrade, type TruthCandle, truthCandles } from '../fake-exchange/truth.ts';
import { temporaryDir } from './pipeline.ts';

const SYMBOL = 'BTCUSDT';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A Monday, a month's first day and a 3d window's. */
const FROM = Date.UTC(2024, 6, 1);
const MINUTES = 20 * 60;
const TO = FROM + MINUTES * MINUTE_MS;

const TRADES = generateTrades({ seed: 4, from: FROM, to: TO, tradesPerSecond: 0.3 });

function candleOf(interval: Interval, truth: TruthCandle, changes: Partial<Candle> = {}): Candle {
  return {
    symbol: marketSymbol(SYMBOL),
    interval,
    openTime: epochMs(truth.openTime),
    closeTime: epochMs(truth.closeTime),
    open: decimal(truth.open),
    high: decimal(truth.high),
    low: decimal(truth.low),
    close: decimal(truth.close),
    volume: decimal(truth.volume),
    quoteVolume: decimal(truth.quoteVolume),
    trades: truth.trades,
    takerBuyVolume: decimal(truth.takerBuyVolume),
    takerBuyQuoteVolume: decimal(truth.takerBuyQuoteVolume),
    firstTradeId: truth.firstTradeId,
    lastTradeId: truth.lastTradeId,
    revision: 0,
    complete: true,
    source: 'trades',
    ...changes,
  };
}

function truthOf(interval: Interval, trades: readonly AggTrade[] = TRADES): Candle[] {
  return truthCandles(trades, interval, { from: FROM, to: TO, anchor: FROM })
    .filter(({ closeTime }) => closeTime < TO)
    .map((truth) => candleOf(interval, truth));
}

/** An exchange whose trades are over, and a store with every candle as it is true, but for `change`. */
async function setUp(change: (candle: Candle) => readonly Candle[]) {
  const closing = new AsyncDisposableStack();
  const dir = closing.use(await temporaryDir());
  const exchange = closing.use(
    await createFakeExchange({
      symbols: [{ symbol: SYMBOL, trades: TRADES, onboardTime: FROM }],
      clock: manualClock(TO + HOUR_MS),
    }),
  );
  const source = binanceSource({ restUrls: [exchange.restUrl], webSocketUrls: [exchange.wsUrl] });
  const path = storePath(dir.path, source);
  const open = (readOnly = false): Promise<CandleStore> =>
    openSqliteStore({ path, source, readOnly });
  await using store = await open();
  for (const interval of INTERVALS) {
    if (interval !== '1s') await store.write(truthOf(interval).flatMap(change));
  }
  return {
    exchange,
    open,
    run: (flags: Flags = {}, more: Record<string, string> = {}) =>
      run(exchange, dir.path, flags, more),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

type Flags = SpanFlags & { readonly repair?: boolean };

async function run(
  exchange: FakeExchange,
  dataDir: string,
  { repair = false, ...flags }: Flags,
  more: Record<string, string>,
) {
  const config = readConfig({
    flags: {
      source: 'binance',
      'data-dir': dataDir,
      'binance-rest-url': exchange.restUrl,
      'binance-ws-url': exchange.wsUrl,
      ...more,
    },
    env: {},
    isTerminal: false,
  });
  const lines: string[] = [];
  const told: string[] = [];
  const logger = pino(
    { level: 'info' },
    { write: (line: string) => void told.push(JSON.parse(line).msg) },
  );
  const { signal } = new AbortController();
  const code = await verify(
    { config, logger, version: 'test', signal },
    parseSpan(flags, systemClock),
    { repair },
    (line) => lines.push(line),
  );
  return { code, lines, told };
}

const at = (minute: number) => FROM + minute * MINUTE_MS;
const isMinute = ({ interval, openTime }: Candle, minute: number) =>
  interval === '1m' && openTime === at(minute);

test('stored candles that are all equal: exit code 0, every interval compared, progress told, no limit broken', async () => {
  await using under = await setUp((candle) => [candle]);
  const { code, lines, told } = await under.run();
  assert.deepEqual([code, lines.length], [0, 1]);
  const count = INTERVALS.filter((interval) => interval !== '1s')
    .map((interval) => truthOf(interval).length)
    .reduce((a, b) => a + b, 0);
  assert.match(lines[0] ?? '', new RegExp(`^${count} candles compared, 0 differ; nothing stored`));
  assert.ok(
    told.some((line) => /^BTCUSDT 1m: 1200 candles compared, \d+\/s$/.test(line)),
    told.join('\n'),
  );
  assert.deepEqual(under.exchange.breaches, []);
});

/** Minute 100 differs, 200 is missing, 300 lacks trades, and so does what is rolled up from them. */
function withFaults(candle: Candle): readonly Candle[] {
  if (isMinute(candle, 200)) return [];
  if (isMinute(candle, 100)) return [{ ...candle, volume: candle.volume + 1n, trades: 1 }];
  if (isMinute(candle, 300)) return [{ ...candle, complete: false, trades: candle.trades - 1 }];
  if (isMinute(candle, 400)) return [{ ...candle, complete: false }];
  const isOver = candle.openTime <= at(100) && candle.closeTime > at(100);
  return [isOver ? { ...candle, volume: candle.volume + 1n, revision: 3 } : candle];
}

describe('with faults in the store', () => {
  test('each is told, field by field with both values; exit code 1; nothing is changed', async () => {
    await using under = await setUp(withFaults);
    const { code, lines } = await under.run();
    assert.equal(code, 1);
    const text = lines.join('\n');
    const differing = truthOf('1m')[100];
    assert.ok(differing !== undefined);
    assert.match(text, /1m 2024-07-01T01:40:00.000Z: differs \(revision 0, source trades\)/);
    assert.match(text, new RegExp(`trades: stored 1, exchange ${differing.trades}`));
    assert.match(text, /volume: stored \d+\.\d{8}, exchange \d+\.\d{8}/);
    assert.match(text, /1m 2024-07-01T03:20:00.000Z: missing; the exchange has open/);
    assert.match(text, /1m 2024-07-01T05:00:00.000Z: differs/);
    assert.match(text, /1m 2024-07-01T06:40:00.000Z: equal, though marked as lacking trades/);
    assert.match(text, /12h 2024-07-01T00:00:00.000Z: differs \(revision 3/);
    assert.equal((await under.run()).code, 1);
  });

  test('only what is asked for is compared', async () => {
    await using under = await setUp(withFaults);
    const [from, to] = ['2024-07-01T02:00Z', '2024-07-01T03:00Z'];
    const hour = await under.run({ from, to }, { intervals: '1m' });
    assert.deepEqual([hour.code, hour.lines], [0, ['60 candles compared, 0 differ.']]);
    const longer = await under.run({ from: String(at(0)), to }, { intervals: '1m' });
    assert.equal(longer.code, 1);
  });

  test('--repair: minutes from their trades, longer ones from their minutes, each with the next revision', async () => {
    await using under = await setUp(withFaults);
    const { code, lines } = await under.run({ repair: true });
    assert.equal(code, 0, lines.join('\n'));
    await using store = await under.open(true);
    for (const interval of INTERVALS) {
      if (interval === '1s') continue;
      const query = {
        symbol: marketSymbol(SYMBOL),
        interval,
        limit: 5_000,
        take: 'first',
      } as const;
      const kept = await store.read(query);
      assert.deepEqual(
        kept.map(({ revision: _, reason: __, ...rest }) => rest),
        truthOf(interval).map(({ revision: _, ...rest }) => rest),
        interval,
      );
    }
    const minute = (index: number) => ({
      symbol: marketSymbol(SYMBOL),
      from: epochMs(at(index)),
      to: epochMs(at(index)),
      limit: 1,
      take: 'first' as const,
    });
    const [mended] = await store.read({ ...minute(100), interval: '1m' });
    assert.deepEqual([mended?.revision, mended?.reason], [1, 'repair']);
    const [added] = await store.read({ ...minute(200), interval: '1m' });
    assert.deepEqual([added?.revision, added?.reason], [0, undefined]);
    const [hours] = await store.read({ ...minute(0), interval: '12h' });
    assert.deepEqual([hours?.revision, hours?.reason], [4, 'rolled-up-correction']);
    const [verdict] = await store.readAudits(minute(100));
    assert.deepEqual([verdict?.verdict, verdict?.revision], ['repaired', 1]);
    assert.equal((await under.run()).code, 0);
    assert.deepEqual(under.exchange.breaches, []);
  });

  test('--repair where the trades are gone takes the kline, and says so', async () => {
    await using under = await setUp(withFaults);
    under.exchange.faults.onRequest = ({ path }) =>
      path === '/api/v3/aggTrades' ? { status: 200, headers: {}, body: '[]' } : undefined;
    const { lines } = await under.run({ repair: true }, { intervals: '1m' });
    assert.match(lines.join('\n'), /mended \(kline\)/);
    await using store = await under.open(true);
    const openTime = epochMs(at(100));
    const query = { symbol: marketSymbol(SYMBOL), from: openTime, to: openTime, limit: 1 } as const;
    const [candle] = await store.read({ ...query, interval: '1m', take: 'first' });
    assert.deepEqual([candle?.source, candle?.revision], ['klines', 1]);
  });

  test('a candle that the exchange does not have is told and stays', async () => {
    await using under = await setUp(withFaults);
    under.exchange.market.addOutage(SYMBOL, at(500), at(501));
    const { code, lines } = await under.run({ repair: true }, { intervals: '1m' });
    assert.equal(code, 1);
    assert.match(lines.join('\n'), /08:20:00.000Z: stored, but the exchange has none/);
  });
});

test('beside a running product it compares, and refuses to repair with a clear line', async () => {
  await using under = await setUp(withFaults);
  await using _writer = await under.open();
  assert.equal((await under.run()).code, 1);
  await assert.rejects(under.run({ repair: true }), (error) => {
    assert.ok(error instanceof StoreError && error.code === 'locked');
    assert.match(error.message, /only writer/);
    return true;
  });
});

test('wrong usage names what was expected', async () => {
  await using under = await setUp(() => []);
  for (const flags of [{ from: 'yesterday' }, { from: '2024-07-02', to: '2024-07-01' }]) {
    await assert.rejects(under.run(flags), ConfigError);
  }
  await assert.rejects(under.run({}, { source: 'simulated' }), ConfigError);
});
