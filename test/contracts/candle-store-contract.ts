// What every CandleStore must do, run against each adapter: exact decimals (I3), highest revision (I5), all or none.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Candle, CorrectionReason } from '../../src/core/market/candle.ts';
import { DECIMAL_ONE, decimal, formatDecimal } from '../../src/core/market/decimal.ts';
import { closeTimeOf, type Interval } from '../../src/core/market/interval.ts';
import { type MarketSymbol, marketSymbol } from '../../src/core/market/symbol.ts';
import { type EpochMs, epochMs, MINUTE_MS } from '../../src/core/market/time.ts';
import { type CandleStore, type HoleQuery, StoreError } from '../../src/store/candle-store.ts';

/** An empty store; whoever gets it closes it. */
export type MakeCandleStore = () => Promise<CandleStore>;

type Test = (fact: string, run: (store: CandleStore) => Promise<void>) => void;

export const BTCUSDT: MarketSymbol = marketSymbol('BTCUSDT');
export const ETHUSDT = marketSymbol('ETHUSDT');
export const DAY_START: EpochMs = epochMs(1_767_225_600_000);

export function candleStoreContract(name: string, makeStore: MakeCandleStore): void {
  const test: Test = (fact, run) =>
    it(fact, async () => {
      await using store = await makeStore();
      await run(store);
    });

  describe(`${name} is a CandleStore`, () => {
    describe('reading', () => readingContract(test));
    describe('revisions', () => revisionContract(test));
    describe('decimals', () => decimalContract(test));
    describe('holes', () => holeContract(test));
    describe('pruning', () => pruningContract(test));
  });
}

/** A candle of `minute` minutes (or so many intervals) after `DAY_START`; `changes` on top. */
export function candleAt(index: number, changes: Partial<Candle> = {}): Candle {
  const interval: Interval = changes.interval ?? '1m';
  const openTime = changes.openTime ?? epochMs(DAY_START + index * MINUTE_MS);
  return {
    symbol: BTCUSDT,
    interval,
    openTime,
    closeTime: closeTimeOf(interval, openTime),
    open: decimal('87648.21'),
    high: decimal('87650.00'),
    low: decimal('87600.1'),
    close: decimal('87648.22'),
    volume: decimal('12.34567'),
    quoteVolume: decimal('1082089.1234567'),
    trades: 1_234,
    takerBuyVolume: decimal('6.00001'),
    takerBuyQuoteVolume: decimal('525889.2600001'),
    firstTradeId: 5_000_000_000 + index * 10,
    lastTradeId: 5_000_000_009 + index * 10,
    revision: 0,
    complete: true,
    source: 'trades',
    ...changes,
  };
}

function readingContract(test: Test): void {
  test('is empty at first', async (store) => {
    assert.deepEqual(await read(store), []);
    assert.deepEqual(await store.symbols(), []);
    assert.equal(await store.lastOpenTime(BTCUSDT, '1m'), undefined);
    await store.write([]);
    assert.deepEqual(await store.symbols(), []);
  });

  test('gives back every field', async (store) => {
    const reasons: (CorrectionReason | undefined)[] = [
      undefined,
      'late-trade',
      'repair',
      'rolled-up-correction',
      'rounding',
    ];
    const candles = reasons.map((reason, index) =>
      candleAt(index, {
        revision: index,
        complete: index % 2 === 0,
        source: index % 2 === 0 ? 'klines' : 'trades',
        firstTradeId: index === 1 ? undefined : -1,
        lastTradeId: index === 1 ? undefined : -1,
        ...(reason === undefined ? {} : { reason }),
      }),
    );
    await store.write(candles);
    assert.deepEqual(await read(store), candles);
  });

  test('derives the close time of every interval', async (store) => {
    const intervals: Interval[] = ['1s', '1m', '1d', '3d', '1w', '1M'];
    for (const interval of intervals) {
      const candle = candleAt(0, { interval });
      await store.write([candle]);
      assert.deepEqual(await read(store, { interval }), [candle]);
    }
  });

  test('answers ascending from either end, whatever the order of writing', async (store) => {
    const candles = [4, 0, 3, 1, 2].map((index) => candleAt(index));
    await store.write(candles);
    const ascending = [0, 1, 2, 3, 4].map((index) => candleAt(index));
    assert.deepEqual(await read(store), ascending);
    assert.deepEqual(await read(store, { limit: 2, take: 'first' }), ascending.slice(0, 2));
    assert.deepEqual(await read(store, { limit: 2, take: 'last' }), ascending.slice(-2));
    assert.deepEqual(await read(store, { limit: 0 }), []);
  });

  test('takes both ends of a range as inclusive', async (store) => {
    const candles = [0, 1, 2, 3, 4].map((index) => candleAt(index));
    await store.write(candles);
    const from = candleAt(1).openTime;
    const to = candleAt(3).openTime;
    assert.deepEqual(await read(store, { from, to }), candles.slice(1, 4));
    assert.deepEqual(await read(store, { from }), candles.slice(1));
    assert.deepEqual(await read(store, { to, take: 'first' }), candles.slice(0, 4));
    assert.deepEqual(await read(store, { from: to, to: from }), []);
  });

  test('keeps symbols and intervals apart', async (store) => {
    const candles = [
      candleAt(0, { symbol: ETHUSDT }),
      candleAt(1),
      candleAt(7, { interval: '1h', openTime: DAY_START }),
      candleAt(2, { symbol: marketSymbol('币安人生USDT') }),
    ];
    await store.write(candles);
    assert.deepEqual(await read(store, { interval: '1h' }), [candles[2]]);
    assert.deepEqual(await read(store), [candles[1]]);
    assert.deepEqual(await store.symbols(), ['BTCUSDT', 'ETHUSDT', '币安人生USDT']);
    assert.equal(await store.lastOpenTime(BTCUSDT, '1m'), candleAt(1).openTime);
    assert.equal(await store.lastOpenTime(ETHUSDT, '1m'), candleAt(0).openTime);
    assert.equal(await store.lastOpenTime(ETHUSDT, '1h'), undefined);
  });
}

function revisionContract(test: Test): void {
  test('reads corrected candles alone where they are asked for', async (store) => {
    await store.write([candleAt(0), candleAt(1, { revision: 2 }), candleAt(2, { revision: 1 })]);
    const found = await read(store, { minRevision: 1 });
    assert.deepEqual(
      found.map(({ revision }) => revision),
      [2, 1],
    );
  });

  test('lets the highest revision win in any order (I5)', async (store) => {
    let index = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 8 }),
        fc.nat(8),
        async (revisions, cut) => {
          index += 1;
          const candles = revisions.map((revision) =>
            candleAt(index, { revision, close: BigInt(revision) }),
          );
          await store.write(candles.slice(0, cut));
          await store.write(candles.slice(cut));
          const greatest = Math.max(...revisions);
          const { openTime } = candleAt(index);
          assert.deepEqual(
            (await read(store, { from: openTime, to: openTime })).map(({ revision, close }) => [
              revision,
              close,
            ]),
            [[greatest, BigInt(greatest)]],
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  test('leaves a candle as it is when the same revision comes again', async (store) => {
    await store.write([candleAt(0)]);
    await store.write([candleAt(0, { close: decimal('1') })]);
    assert.deepEqual(await read(store), [candleAt(0)]);
  });
}

function decimalContract(test: Test): void {
  test('gives decimal text back digit for digit: prices of any market, volumes of a month (I3)', async (store) => {
    let index = 0;
    const price = fc.bigInt({ min: 1n, max: 10_000_000n * DECIMAL_ONE });
    // Real markets: a month's quote volume is below 1e11 with 7 places, 1e10 with 8.
    const volume = fc.bigInt({ min: 0n, max: 90_000_000_000n * DECIMAL_ONE });
    await fc.assert(
      fc.asyncProperty(price, price, volume, volume, async (low, high, base, quote) => {
        index += 1;
        const candle = candleAt(index, {
          symbol: marketSymbol(`COIN${index % 10}`),
          open: low,
          high,
          low,
          close: high,
          volume: base,
          quoteVolume: quote,
          takerBuyVolume: base / 2n,
          takerBuyQuoteVolume: quote / 3n,
        });
        const texts = decimalTexts(candle);
        await store.write([{ ...candle, ...decimalsOf(texts) }]);
        const { symbol, openTime } = candle;
        const [kept] = await read(store, { symbol, from: openTime, to: openTime });
        assert.deepEqual(kept, candle);
        assert.deepEqual(kept && decimalTexts(kept), texts);
      }),
      { numRuns: 100 },
    );
  });

  test('keeps a month of BTCUSDT, which overflows 64 bits at 8 places', async (store) => {
    const month = candleAt(0, {
      interval: '1M',
      openTime: DAY_START,
      quoteVolume: decimal('152345678901.1234567'),
    });
    await store.write([candleAt(0), month]);
    assert.deepEqual(await read(store, { interval: '1M' }), [month]);
  });

  test('widens a scale without changing what is kept', async (store) => {
    const candles: Candle[] = [];
    for (const [index, price] of ['5', '5.1', '0.00000001', '10000000', '3.123'].entries()) {
      const value = decimal(price);
      const candle = candleAt(index, { open: value, high: value, low: value, close: value });
      candles.push(candle);
      await store.write([candle]);
      assert.deepEqual(await read(store), candles);
    }
  });

  test('keeps volumes of up to 20 digits exactly, wider than 64 bits', async (store) => {
    let index = 0;
    const whole = fc.bigInt({ min: 0n, max: 10n ** 20n });
    await fc.assert(
      fc.asyncProperty(whole, fc.nat(99_999_999), async (integer, fraction) => {
        index += 1;
        const symbol = marketSymbol(`MEME${index}`);
        const candle = candleAt(0, { symbol, volume: integer * DECIMAL_ONE + BigInt(fraction) });
        await store.write([candle]);
        assert.deepEqual(await read(store, { symbol }), [candle]);
      }),
      {
        numRuns: 100,
        examples: [
          [92_233_720_368_547_758n, 0],
          [10n ** 20n, 0],
          [10n ** 11n, 99_999_999],
          [92_233_720_368n, 54_775_807],
          [92_233_720_368n, 54_775_809],
        ],
      },
    );
  });

  test('keeps the month when one minute brings digits with which it is wider than 64 bits', async (store) => {
    // As in January 2025: one minute with a volume of 6 places, so 8 in quote units.
    const month = candleAt(0, {
      interval: '1M',
      openTime: DAY_START,
      quoteVolume: decimal('230976895658.805421'),
      takerBuyQuoteVolume: decimal('115488447829.4027105'),
    });
    await store.write([month, candleAt(0)]);
    const odd = candleAt(1, {
      volume: decimal('12.345671'),
      quoteVolume: decimal('1082089.12345678'),
    });
    await store.write([odd]);
    assert.deepEqual(await read(store, { interval: '1M' }), [month]);
    assert.deepEqual(await read(store), [candleAt(0), odd]);
    const corrected = { ...month, revision: 1, quoteVolume: month.quoteVolume + 1n };
    await store.write([corrected]);
    assert.deepEqual(await read(store, { interval: '1M' }), [corrected]);
    const settled = { ...month, revision: 2, quoteVolume: decimal('1.5') };
    await store.write([settled]);
    assert.deepEqual(await read(store, { interval: '1M' }), [settled]);
  });

  test('widens what is wide already, step by step', async (store) => {
    const candles = ['900000000000.5', '12345678901234567890', '0.00000001', '0.25'].map(
      (volume, index) => candleAt(index, { volume: decimal(volume), takerBuyVolume: 7n }),
    );
    for (const [index, candle] of candles.entries()) {
      await store.write([candle]);
      assert.deepEqual(await read(store), candles.slice(0, index + 1));
    }
  });

  test('says clearly that it keeps no value of absurd length', async (store) => {
    await assert.rejects(store.write([candleAt(0, { volume: 10n ** 40n })]), (error) => {
      assertOutOfRange(error, BTCUSDT, 'volume', '100000000000000000000000000000000.00000000');
      return true;
    });
    assert.deepEqual(await read(store), []);
  });

  test('writes all of a batch or none (one value out of range)', async (store) => {
    const symbol = ETHUSDT;
    const bad = candleAt(2, { symbol, quoteVolume: 10n ** 60n });
    await assert.rejects(store.write([candleAt(0), candleAt(1, { symbol }), bad]), StoreError);
    assert.deepEqual(await read(store), []);
    assert.deepEqual(await store.symbols(), []);
    await store.write([candleAt(0), candleAt(1, { symbol })]);
    assert.deepEqual(await store.symbols(), ['BTCUSDT', 'ETHUSDT']);
  });
}

function holeContract(test: Test): void {
  const span = { symbol: BTCUSDT, interval: '1m', from: DAY_START, limit: 10 } as const;
  const at = (minute: number) => epochMs(DAY_START + minute * MINUTE_MS);
  const minutes = (...pairs: [number, number][]) =>
    pairs.map(([from, to]) => ({ from: at(from), to: at(to) }));

  test('says where candles are missing: before, between and after those kept', async (store) => {
    const ask = (changes: Partial<HoleQuery> = {}) =>
      store.holes({ ...span, to: at(20), ...changes });
    assert.deepEqual(await ask(), minutes([0, 20]));
    await store.write([3, 4, 5, 8, 9, 12].map((index) => candleAt(index)));
    await store.write([candleAt(6, { symbol: ETHUSDT }), candleAt(0, { interval: '1h' })]);
    assert.deepEqual(await ask(), minutes([0, 3], [6, 8], [10, 12], [13, 20]));
    assert.deepEqual(await ask({ limit: 2 }), minutes([0, 3], [6, 8]));
    assert.deepEqual(await ask({ from: at(4), to: at(12) }), minutes([6, 8], [10, 12]));
    assert.deepEqual(await ask({ from: at(3), to: at(6) }), []);
    assert.deepEqual(await ask({ from: at(10), to: at(12) }), minutes([10, 12]));
    assert.deepEqual(await ask({ from: at(30), to: at(31) }), minutes([30, 31]));
  });

  test('counts months by the calendar', async (store) => {
    const months = ['2026-01-01', '2026-02-01', '2026-03-01', '2026-05-01'].map((day) =>
      candleAt(0, { interval: '1M', openTime: epochMs(Date.parse(day)) }),
    );
    await store.write(months);
    const to = epochMs(Date.parse('2026-06-01'));
    assert.deepEqual(await store.holes({ ...span, interval: '1M', to }), [
      { from: epochMs(Date.parse('2026-04-01')), to: epochMs(Date.parse('2026-05-01')) },
    ]);
  });
}

function pruningContract(test: Test): void {
  test('removes what opens before a time, of one interval and every symbol', async (store) => {
    const seconds = (index: number, symbol = BTCUSDT) =>
      candleAt(index, { symbol, interval: '1s', openTime: epochMs(DAY_START + index * 1_000) });
    await store.write([
      ...[0, 1, 2].map((index) => seconds(index)),
      ...[0, 1, 2].map((index) => seconds(index, ETHUSDT)),
      candleAt(0),
    ]);
    const before = epochMs(DAY_START + 2_000);
    assert.equal(await store.prune('1s', before), 4);
    assert.equal(await store.prune('1s', before), 0);
    assert.deepEqual(await read(store, { interval: '1s' }), [seconds(2)]);
    assert.deepEqual(await read(store, { interval: '1s', symbol: ETHUSDT }), [seconds(2, ETHUSDT)]);
    assert.deepEqual(await read(store), [candleAt(0)]);
    assert.equal(await store.prune('1m', epochMs(DAY_START + 1)), 1);
    assert.deepEqual(await store.symbols(), ['BTCUSDT', 'ETHUSDT']);
    await store.prune('1s', epochMs(DAY_START + 3_000));
    assert.deepEqual(await store.symbols(), []);
  });

  test('says what it takes on disk', async (store) => {
    await store.write(Array.from({ length: 1_000 }, (_, index) => candleAt(index)));
    const bytes = await store.bytes();
    assert.ok(bytes > 50_000, `${bytes} bytes for 1,000 candles`);
  });

  test('closes more than once', async (store) => {
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    await assert.rejects(read(store), /closed/);
  });
}

export function read(
  store: CandleStore,
  query: Partial<Parameters<CandleStore['read']>[0]> = {},
): Promise<readonly Candle[]> {
  return store.read({ symbol: BTCUSDT, interval: '1m', limit: 1_000, take: 'last', ...query });
}

const DECIMAL_FIELDS = [
  'open',
  'high',
  'low',
  'close',
  'volume',
  'quoteVolume',
  'takerBuyVolume',
  'takerBuyQuoteVolume',
] as const;

type DecimalTexts = readonly string[];

function decimalTexts(candle: Candle): DecimalTexts {
  return DECIMAL_FIELDS.map((field) => formatDecimal(candle[field]));
}

function decimalsOf(texts: DecimalTexts): Partial<Candle> {
  return Object.fromEntries(
    DECIMAL_FIELDS.map((field, index) => [field, decimal(texts[index] ?? '')]),
  );
}

export function assertOutOfRange(
  error: unknown,
  symbol: string,
  field: string,
  value: string,
): void {
  assert.ok(error instanceof StoreError, String(error));
  assert.equal(error.code, 'out-of-range');
  for (const part of [symbol, field, value]) {
    assert.ok(error.message.includes(part), `"${part}" in: ${error.message}`);
  }
}
