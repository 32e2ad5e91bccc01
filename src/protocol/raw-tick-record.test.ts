// decode(encode(x)) = x for every record of raw_ticks; the scanner reads what the schema reads, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../test/property-seed.ts';
import fc from 'fast-check';
import type { AggTrade } from '../core/market/agg-trade.ts';
import type { Candle } from '../core/market/candle.ts';
import type { RawTick } from '../core/market/raw-tick.ts';
import { marketSymbol } from '../core/market/symbol.ts';
import { epochMs } from '../core/market/time.ts';
import { aggTradeEventSchema, encodeAggTrade } from './agg-trade-record.ts';
import { AggTradeScanner } from './agg-trade-scanner.ts';
import { DecodeError } from './decode-error.ts';
import { decodeRawTick, encodeRawTick } from './raw-tick-record.ts';

const id = fc.integer({ min: 0, max: 999_999_999_999 });
const parts = fc
  .tuple(fc.integer({ min: 0, max: 999_999_999_999 }), fc.integer({ min: 0, max: 99_999_999 }))
  .filter(([integer, fraction]) => integer > 0 || fraction > 0);

const aggTrade: fc.Arbitrary<AggTrade> = fc
  .record({
    symbol: fc.constantFrom('BTCUSDT', 'A', '1000SATSUSDT', 'BTTC').map(marketSymbol),
    a: id,
    p: parts,
    q: parts,
    f: id,
    n: fc.integer({ min: 0, max: 1000 }),
    T: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    E: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    m: fc.boolean(),
  })
  .map((raw) => ({
    symbol: raw.symbol,
    aggTradeId: raw.a,
    priceInteger: raw.p[0],
    priceFraction: raw.p[1],
    quantityInteger: raw.q[0],
    quantityFraction: raw.q[1],
    firstTradeId: raw.f,
    lastTradeId: raw.f + raw.n,
    tradeTime: epochMs(raw.T),
    eventTime: epochMs(raw.E),
    buyerIsMaker: raw.m,
  }));

test('a trade written and read again is the same trade', () => {
  fc.assert(
    fc.property(aggTrade, (trade) => {
      assert.deepEqual(decodeRawTick(encodeRawTick({ type: 'aggTrade', trade })), {
        type: 'aggTrade',
        trade,
      });
    }),
  );
});

function kline(reason: 'rounding' | undefined): RawTick {
  const candle: Candle = {
    symbol: marketSymbol('ETHBTC'),
    interval: '1m',
    openTime: epochMs(1_767_225_600_000),
    closeTime: epochMs(1_767_225_659_999),
    open: 3_000_000n,
    high: 3_100_000n,
    low: 2_900_000n,
    close: 3_050_000n,
    volume: 1_234_560_000n,
    quoteVolume: 37_012_345n,
    trades: 3,
    takerBuyVolume: 0n,
    takerBuyQuoteVolume: 0n,
    firstTradeId: 7,
    lastTradeId: 9,
    revision: 0,
    complete: true,
    source: 'klines',
    ...(reason === undefined ? {} : { reason }),
  };
  return { type: 'kline', candle };
}

test('watermark, void, symbol start and repair part written and read again are the same', () => {
  const symbol = marketSymbol('BTCUSDT');
  const time = epochMs(1_767_225_600_000);
  fc.assert(
    fc.property(fc.array(aggTrade, { maxLength: 20 }), (trades) => {
      const ours = trades.map((trade) => ({ ...trade, symbol, eventTime: trade.tradeTime }));
      for (const tick of [
        { type: 'watermark', watermark: { symbol, time, aggTradeId: -1 } },
        ...ours.map(({ aggTradeId, tradeTime }) => ({
          type: 'void' as const,
          trade: { symbol, aggTradeId, tradeTime },
        })),
        {
          type: 'symbol',
          start: { symbol, time, threeDayAnchor: time, minutesFrom: time, daysFrom: time },
        },
        {
          type: 'symbol',
          start: {
            symbol,
            time,
            threeDayAnchor: time,
            minutesFrom: time,
            daysFrom: time,
            previousClose: 9_000_012n,
            isNewSeries: true,
          },
        },
        { type: 'repair', repair: { symbol, openTime: time, part: 0, parts: 2, trades: ours } },
        {
          type: 'repair',
          repair: { symbol, openTime: time, part: 0, parts: 1, trades: ours, nextTradeTime: time },
        },
      ] as const) {
        assert.deepEqual(decodeRawTick(encodeRawTick(tick)), tick);
      }
    }),
    { numRuns: 30 },
  );
});

const bytes = (text: string) => new TextEncoder().encode(text);

function assertScannerAgrees(text: string): void {
  const scanner = new AggTradeScanner();
  const frame = bytes(`{"stream":"x@aggTrade","data":${text}}`);
  const scanned = scanner.scanEvent(bytes(text), 0, bytes(text).length);
  assert.equal(scanner.scanFrame(frame), scanned, 'a frame is read as its event is');
  if (!scanned) return;
  const reference = aggTradeEventSchema.safeParse(JSON.parse(text));
  assert.ok(reference.success, `the scanner accepted what the schema refuses: ${text}`);
  assert.deepEqual({ ...scanner.trade }, reference.data);
}

test('a kline whose digits are to be taken over says so when it is read again', () => {
  const text = encodeRawTick(kline('rounding'));
  assert.deepEqual(decodeRawTick(text), kline('rounding'));
  assert.deepEqual(decodeRawTick(encodeRawTick(kline(undefined))), kline(undefined));
});

test('the scanner reads every trade as the schema does', () => {
  const scanner = new AggTradeScanner();
  fc.assert(
    fc.property(aggTrade, fc.constantFrom('', ',"M":true', ',"M":false'), (trade, tail) => {
      const text = `${encodeAggTrade(trade).slice(0, -1)}${tail}}`;
      assert.ok(scanner.scanEvent(bytes(text), 0, bytes(text).length), text);
      assert.deepEqual({ ...scanner.trade }, trade);
      assertScannerAgrees(text);
    }),
  );
});

test('a trade changed in any few bytes is read as the schema reads it, or refused', () => {
  const byte = fc.oneof(
    fc.integer({ min: 0x20, max: 0x7e }),
    fc.constantFrom(...[...'0123456789.,"{}eE-+ '].map((char) => char.charCodeAt(0))),
  );
  const edit = fc.tuple(fc.nat(400), byte, fc.constantFrom('set', 'insert', 'delete'));
  fc.assert(
    fc.property(aggTrade, fc.array(edit, { minLength: 1, maxLength: 3 }), (trade, edits) => {
      const text = [...encodeAggTrade(trade)];
      for (const [at, code, kind] of edits) {
        const char = String.fromCharCode(code);
        if (kind === 'set') text[at % text.length] = char;
        else if (kind === 'insert') text.splice(at % text.length, 0, char);
        else text.splice(at % text.length, 1);
      }
      assertScannerAgrees(text.join(''));
    }),
    { numRuns: 5_000 },
  );
});

test('what is no trade is refused, with what was expected', () => {
  const good = {
    e: 'aggTrade',
    E: 1,
    s: 'BTCUSDT',
    a: 1,
    p: '1.00000000',
    q: '1.00000000',
    f: 1,
    l: 1,
    T: 1,
    m: true,
  };
  assert.equal(decodeRawTick(JSON.stringify(good)).type, 'aggTrade');
  const bad = [
    { p: '0.00000000' },
    { q: '-1' },
    { p: '1.123456789' },
    { p: 1 },
    { a: '1' },
    { a: 1.5 },
    { T: -1 },
    { l: 0 },
    { s: 'btcusdt' },
    { s: 'BTC USDT' },
    { e: 'trade' },
    { m: 'true' },
    { T: undefined },
  ];
  for (const change of bad) {
    const text = JSON.stringify({ ...good, ...change });
    assert.throws(() => decodeRawTick(text), DecodeError, text);
    assertScannerAgrees(text);
  }
  assert.throws(() => decodeRawTick('{'), DecodeError);
});
