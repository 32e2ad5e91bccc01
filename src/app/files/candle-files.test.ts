// Files in and out: what the exchange publishes is read to the digit, what is exported is read back, and what is no such file is named.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { BTCUSDT, candleAt, DAY_START } from '../../../test/contracts/candle-store-contract.ts';
import type { Candle } from '../../core/market/candle.ts';
import { decimal, formatDecimal } from '../../core/market/decimal.ts';
import { INTERVALS, type Interval } from '../../core/market/interval.ts';
import { type Source, sourceId } from '../../core/market/source.ts';
import { type MarketSymbol, marketSymbol } from '../../core/market/symbol.ts';
import { addMs, DAY_MS, MINUTE_MS } from '../../core/market/time.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import { openSqliteStore } from '../../store/sqlite/sqlite-store.ts';
import { exportCandles } from './export-candles.ts';
import { importCandles } from './import-candles.ts';
import { type GivenKlines, listFiles } from './list-files.ts';

const root = mkdtempSync(join(tmpdir(), 'candle-files-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
function newFolder(): string {
  folders += 1;
  const folder = join(root, String(folders));
  mkdirSync(folder);
  return folder;
}

const source: Source = { kind: 'binance', host: 'binance.com' };
const { signal } = new AbortController();
const openStore = (own: Source = source) =>
  openSqliteStore({ path: join(newFolder(), 'candles.db'), source: own });

/** As the exchange's klines: no ids but of what was not traded. */
function klineAt(index: number, changes: Partial<Candle> = {}): Candle {
  const ids = { firstTradeId: undefined, lastTradeId: undefined };
  return candleAt(index, { ...ids, source: 'klines', ...changes });
}

function lineOf(candle: Candle, unit: 'ms' | 'µs' = 'ms'): string {
  const time = (ms: number, end: '000' | '999') => (unit === 'ms' ? `${ms}` : `${ms}${end}`);
  const d = formatDecimal;
  const prices = [candle.open, candle.high, candle.low, candle.close, candle.volume].map(d);
  const sums = [d(candle.quoteVolume), candle.trades];
  const taker = [d(candle.takerBuyVolume), d(candle.takerBuyQuoteVolume), 0];
  const times = [time(candle.openTime, '000'), time(candle.closeTime, '999')];
  return [times[0], ...prices, times[1], ...sums, ...taker].join(',');
}

const minutes = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) =>
    klineAt(from + index, { open: decimal(`${100 + (index % 7)}.5`), trades: index }),
  ).map((candle) =>
    candle.trades === 0 ? { ...candle, firstTradeId: -1, lastTradeId: -1 } : candle,
  );

async function importInto(
  store: CandleStore,
  paths: readonly string[],
  given: GivenKlines = { symbol: undefined, interval: undefined },
  of: Source = source,
) {
  return importCandles({
    files: await listFiles(paths, given),
    store,
    source: of,
    intervals: INTERVALS,
    onFile: () => undefined,
    onRefused: assert.fail,
    signal,
  });
}

const readAll = (store: CandleStore, interval: Interval = '1m', symbol: MarketSymbol = BTCUSDT) =>
  store.read({ symbol, interval, limit: 100_000, take: 'first' });

/** One deflated entry, as the exchange's archives. */
function zipOf(name: string, text: string): Buffer {
  const [data, packed] = [Buffer.from(text), deflateRawSync(text)];
  const entry = Buffer.alloc(26);
  entry.writeUInt16LE(20, 0);
  entry.writeUInt16LE(8, 4);
  entry.writeUInt32LE(crc32(data), 10);
  entry.writeUInt32LE(packed.length, 14);
  entry.writeUInt32LE(data.length, 18);
  entry.writeUInt16LE(name.length, 22);
  const head = Buffer.concat([Buffer.from('PK\x03\x04'), entry, Buffer.from(name), packed]);
  const central = Buffer.concat([
    ...[Buffer.from('PK\x01\x02\x14\x00', 'latin1'), entry, Buffer.alloc(14), Buffer.from(name)],
  ]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(head.length, 16);
  return Buffer.concat([head, central, end]);
}

describe('importing published klines', () => {
  const series = minutes(1_440);
  const forms: Record<string, (folder: string) => string> = {
    'csv in ms': (folder) => put(folder, 'csv', series.map((one) => lineOf(one)).join('\n')),
    'csv in µs, with a heading and CRLF': (folder) => {
      const lines = ['open_time,open', ...series.map((one) => lineOf(one, 'µs'))];
      return put(folder, 'csv', `${lines.join('\r\n')}\r\n`);
    },
    'csv.gz': (folder) =>
      put(folder, 'csv.gz', gzipSync(series.map((one) => lineOf(one)).join('\n'))),
    zip: (folder) =>
      put(folder, 'zip', zipOf('x.csv', series.map((one) => lineOf(one)).join('\n'))),
  };
  const put = (folder: string, ending: string, content: string | Buffer): string => {
    const path = join(folder, `BTCUSDT-1m-2026-01-01.${ending}`);
    writeFileSync(path, content);
    return path;
  };

  for (const [form, write] of Object.entries(forms)) {
    it(`reads ${form}: every field, and the longer candles that are whole`, async () => {
      await using store = await openStore();
      const counts = await importInto(store, [write(newFolder())]);
      assert.equal(counts.read, 1_440);
      assert.deepEqual(await readAll(store), series);
      assert.equal((await readAll(store, '1h')).length, 24);
      const [day] = await readAll(store, '1d');
      assert.equal(
        day?.volume,
        series.reduce((sum, { volume }) => sum + volume, 0n),
      );
      assert.deepEqual(await readAll(store, '1w'), [], 'a day is no week');
    });
  }

  it('takes files in order of time, whatever order they are given in, and goes over holes', async () => {
    const folder = newFolder();
    for (const day of [3, 1, 2, 5]) {
      const rows = minutes(1_440, (day - 1) * 1_440).map((one) => lineOf(one));
      writeFileSync(join(folder, `BTCUSDT-1m-2026-01-0${day}.csv`), rows.join('\n'));
    }
    await using store = await openStore();
    await importInto(store, [folder]);
    const days = await readAll(store, '1d');
    assert.deepEqual(
      days.map(({ openTime }) => (openTime - DAY_START) / DAY_MS),
      [0, 1, 2, 4],
    );
    assert.deepEqual(
      (await readAll(store, '3d')).map(({ openTime }) => (openTime - DAY_START) / DAY_MS),
      [],
      'the 3d windows here open on the 2nd and the 5th: the 4th is missing',
    );
    const again = await importInto(store, [folder]);
    assert.equal(again.read, 4 * 1_440);
    assert.deepEqual(await readAll(store, '1d'), days, 'twice is once');
  });

  it('never writes over a candle that was folded from trades', async () => {
    await using store = await openStore();
    await store.write([candleAt(0), candleAt(1, { revision: 2, reason: 'repair' })]);
    const path = join(newFolder(), 'BTCUSDT-1m-2026-01-01.csv');
    writeFileSync(
      path,
      minutes(3)
        .map((one) => lineOf(one))
        .join('\n'),
    );
    await importInto(store, [path]);
    const [first, second, third] = await readAll(store);
    assert.deepEqual(
      [first, second],
      [candleAt(0), candleAt(1, { revision: 2, reason: 'repair' })],
    );
    assert.equal(third?.source, 'klines');
  });

  it('makes no 3d candles of a symbol whose grid nobody knows', async () => {
    await using store = await openStore();
    const folder = newFolder();
    for (let day = 1; day <= 7; day++) {
      const rows = minutes(1_440, (day - 1) * 1_440).map((one) => lineOf(one));
      writeFileSync(join(folder, `SOLUSDT-1m-2026-01-0${day}.csv`), rows.join('\n'));
    }
    await importInto(store, [folder]);
    const symbol = marketSymbol('SOLUSDT');
    assert.equal((await readAll(store, '1d', symbol)).length, 7);
    assert.equal((await readAll(store, '3d', symbol)).length, 0);
  });

  it('names the file and the line that is no kline, out of order or of another interval', async () => {
    const good = minutes(3).map((one) => lineOf(one));
    const cases: [string, string[]][] = [
      ['3', [...good.slice(0, 2), 'hello']],
      ['2', [good[1] ?? '', good[0] ?? '']],
      ['2', [good[0] ?? '', good[0] ?? '']],
      ['1', [good[0]?.replace('87650.00000000', '-1') ?? '']],
      ['1', [good[0]?.replace(/^\d+/, '12345') ?? '']],
      ['1', [lineOf(klineAt(0, { interval: '1h' }))]],
    ];
    for (const [line, rows] of cases) {
      await using store = await openStore();
      const path = join(newFolder(), 'BTCUSDT-1m-2026-01-01.csv');
      writeFileSync(path, rows.join('\n'));
      await assert.rejects(importInto(store, [path]), (error: Error) => {
        assert.ok(error.message.includes(path), error.message);
        assert.match(error.message, new RegExp(`line ${line} is "`));
        return true;
      });
    }
  });

  it('says which file is cut off, no archive, or of unknown content', async () => {
    await using store = await openStore();
    const folder = newFolder();
    const text = series.map((one) => lineOf(one)).join('\n');
    const bad: [string, string | Buffer, RegExp][] = [
      ['BTCUSDT-1m-2026-01-01.csv.gz', gzipSync(text).subarray(0, 9_000), /fetch it again/],
      ['BTCUSDT-1m-2026-01-01.zip', zipOf('x.csv', text).subarray(0, 9_000), /zip archive/],
      ['BTCUSDT-1m-2026-01-01.csv', 'x'.repeat(200_000), /lines of text/],
      ['notes.csv', text, /--symbol and --interval/],
      ['absent.csv', '', /ENOENT/],
    ];
    for (const [name, content, message] of bad) {
      const path = join(folder, name);
      if (name !== 'absent.csv') writeFileSync(path, content);
      await assert.rejects(importInto(store, [path]), message);
    }
    const given = { symbol: BTCUSDT, interval: '1m' } as const;
    await importInto(store, [join(folder, 'notes.csv')], given);
    assert.equal((await readAll(store)).length, 1_440);
  });
});

describe('exporting', () => {
  const candles = [
    candleAt(0),
    candleAt(1, { revision: 2, reason: 'rounding', firstTradeId: undefined }),
    candleAt(2, { complete: false, source: 'klines', volume: decimal('123456789012.12345') }),
    candleAt(0, { interval: '1h' }),
    candleAt(0, { symbol: marketSymbol('ETHUSDT') }),
  ];
  const run = (store: CandleStore, path: string, more: object = {}) =>
    exportCandles({
      path,
      store,
      market: sourceId(source),
      symbols: [BTCUSDT, marketSymbol('ETHUSDT')],
      intervals: ['1m', '1h'],
      onProgress: () => undefined,
      signal,
      ...more,
    });

  for (const ending of ['.csv', '.csv.gz']) {
    it(`writes ${ending} that is read back to the last field`, async () => {
      await using store = await openStore();
      await store.write(candles);
      const path = join(newFolder(), `all${ending}`);
      assert.equal(await run(store, path), candles.length);
      await using other = await openStore();
      await importInto(other, [path]);
      for (const [interval, symbol] of [['1m'], ['1h'], ['1m', marketSymbol('ETHUSDT')]] as const) {
        const expected = await readAll(store, interval, symbol);
        assert.deepEqual(await readAll(other, interval, symbol), expected);
      }
      const foreign: Source = { kind: 'simulated', seed: 1 };
      await using third = await openStore(foreign);
      const mixing = importInto(third, [path], undefined, foreign);
      await assert.rejects(mixing, /line 2 is .*another database/);
    });
  }

  it('writes Parquet with exact decimals', async () => {
    await using store = await openStore();
    await store.write(candles);
    const path = join(newFolder(), 'all.parquet');
    await run(store, path);
    const bytes = readFileSync(path);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    const metadata = parquetMetadata(file as ArrayBuffer);
    // The reader makes floats of decimals: here they are taken as the bytes they are.
    const schema = metadata.schema.map(({ converted_type, ...rest }) => ({
      ...rest,
      ...(converted_type === undefined || converted_type === 'DECIMAL' ? {} : { converted_type }),
    }));
    const rows = await parquetReadObjects({
      file: file as ArrayBuffer,
      metadata: { ...metadata, schema },
      utf8: false,
    });
    assert.equal(rows.length, candles.length);
    const volume = metadata.schema.find(({ name }) => name === 'volume');
    assert.deepEqual([volume?.precision, volume?.scale], [38, 8]);
    const found = rows.map((row) => [row['symbol'], row['interval'], unitsOf(row['volume'])]);
    assert.deepEqual(found, [
      ...(await readAll(store)).map((one) => ['BTCUSDT', '1m', one.volume]),
      ['BTCUSDT', '1h', candles[3]?.volume],
      ['ETHUSDT', '1m', candles[4]?.volume],
    ]);
    assert.deepEqual(rows[0]?.['open_time'], new Date(DAY_START));
    assert.equal(rows[1]?.['reason'], 'rounding');
    assert.equal(rows[1]?.['first_trade_id'], null);
  });

  it('keeps to the span, overwrites nothing, and leaves nothing half', async () => {
    await using store = await openStore();
    await store.write(minutes(20));
    const folder = newFolder();
    const path = join(folder, 'some.csv');
    const span = { from: addMs(DAY_START, 5 * MINUTE_MS), to: addMs(DAY_START, 9 * MINUTE_MS) };
    assert.equal(await run(store, path, span), 5);
    await assert.rejects(run(store, path), /nothing is overwritten/);
    await assert.rejects(run(store, join(folder, 'some.xlsx')), /\.parquet/);
    const stopped = AbortSignal.abort(new Error('stopped'));
    for (const name of ['stopped.csv', 'stopped.parquet']) {
      await assert.rejects(run(store, join(folder, name), { signal: stopped }));
    }
    assert.deepEqual(readdirSync(folder), ['some.csv']);
  });
});

function unitsOf(bytes: unknown): bigint {
  assert.ok(bytes instanceof Uint8Array);
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}
