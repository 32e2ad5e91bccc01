import '../../../test/property-seed.ts';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { decimal } from '../../core/market/decimal.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import { createFrameReader } from './frames.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const read = createFrameReader(new Set([marketSymbol('BTCUSDT')]));
const trade = (changes: object) =>
  JSON.stringify({
    stream: 'btcusdt@aggTrade',
    data: {
      e: 'aggTrade',
      E: 2,
      s: 'BTCUSDT',
      a: 1,
      p: '90241.12000000',
      q: '0.5',
      f: 1,
      l: 2,
      T: 1,
      m: true,
      M: true,
      ...changes,
    },
  });

test('a trade is read alike with fields in the exchange’s order or another', () => {
  const usual = read(bytes(trade({})));
  const { stream, data } = JSON.parse(trade({}));
  const turned = Object.fromEntries(Object.entries(data).reverse());
  assert.equal(usual.type, 'trade');
  assert.deepEqual(read(bytes(JSON.stringify({ stream, data: turned }))), usual);
});

test('what is no trade is rejected and says why', () => {
  const cases: [object, RegExp][] = [
    [{ p: '-1' }, /p/],
    [{ p: 1 }, /p/],
    [{ q: '0.00000000' }, /q/],
    [{ a: '7' }, /a/],
    [{ s: 'ETHUSDT' }, /ETHUSDT/],
    [{ l: 0 }, /l/],
    [{ T: -1 }, /T/],
    [{ m: undefined }, /m/],
  ];
  for (const [changes, reason] of cases) {
    const frame = read(bytes(trade(changes)));
    assert(frame.type === 'rejected', JSON.stringify(changes));
    assert.match(frame.reason, reason);
  }
});

const kline = (changes: object, symbol = 'BTCUSDT') =>
  bytes(
    JSON.stringify({
      stream: 'btcusdt@kline_1m',
      data: {
        e: 'kline',
        E: 120_003,
        s: symbol,
        k: {
          t: 60_000,
          T: 119_999,
          s: 'BTCUSDT',
          i: '1m',
          f: 100,
          L: 104,
          o: '90241.12000000',
          c: '90241.10000000',
          h: '90250.00000000',
          l: '90241.00000000',
          v: '1.50000000',
          n: 5,
          x: true,
          q: '135361.50000000',
          V: '0.50000000',
          Q: '45120.50000000',
          B: '0',
          ...changes,
        },
      },
    }),
  );
const EMPTY = { f: -1, L: -1, n: 0, v: '0.00000000', q: '0.0', V: '0.0', Q: '0.0' };

test('a closed 1m kline is the candle with every field and its ids', () => {
  assert.deepEqual(read(kline({})), {
    type: 'closed-minute',
    candle: {
      symbol: 'BTCUSDT',
      interval: '1m',
      openTime: 60_000,
      closeTime: 119_999,
      open: decimal('90241.12'),
      high: decimal('90250'),
      low: decimal('90241'),
      close: decimal('90241.1'),
      volume: decimal('1.5'),
      quoteVolume: decimal('135361.5'),
      trades: 5,
      takerBuyVolume: decimal('0.5'),
      takerBuyQuoteVolume: decimal('45120.5'),
      firstTradeId: 100,
      lastTradeId: 104,
      revision: 0,
      complete: true,
      source: 'klines',
    },
  });
  assert.equal(read(kline(EMPTY)).type, 'closed-minute');
});

test('a closed 1m kline that cannot be is rejected and says why', () => {
  const cases: [object, RegExp][] = [
    [{ t: 60_001 }, /open time/],
    [{ t: 60_000, T: 120_000 }, /k\.T/],
    [{ o: 90241.12 }, /k\.o/],
    [{ v: '-1.0' }, /k\.v/],
    [{ n: -1 }, /k\.n/],
    [{ n: 1.5 }, /k\.n/],
    [{ n: 1e16 }, /k\.n/],
    [{ L: 99 }, /f ≤ L/],
    [{ f: -1, L: -1 }, /f ≤ L/],
    [{ n: 0 }, /f ≤ L/],
    [{ ...EMPTY, v: '1.0' }, /f ≤ L/],
    [{ h: '90241.11000000' }, /l ≤ o/],
    [{ l: '90241.11000000' }, /l ≤ o/],
    [{ V: '1.50000001' }, /V ≤ v/],
    [{ Q: '135361.50000001' }, /V ≤ v/],
    [{ s: 'ETHUSDT' }, /one symbol/],
    [{ q: undefined }, /k\.q/],
    [{ x: 'true' }, /k\.x/],
  ];
  for (const [changes, reason] of cases) {
    const frame = read(kline(changes));
    assert(frame.type === 'rejected', JSON.stringify(changes));
    assert.match(frame.reason, reason);
  }
  const other = read(kline({ s: 'ETHUSDT' }, 'ETHUSDT'));
  assert(other.type === 'rejected');
  assert.match(other.reason, /subscribed to, was "ETHUSDT"/);
});

test('open klines, replies, shutdowns and the unknown are told apart', () => {
  assert.equal(read(kline({ x: false })).type, 'ignored');
  assert.equal(read(kline({ i: '1s' })).type, 'ignored');
  assert.deepEqual(read(bytes('{"result":null,"id":3}')), { type: 'reply', id: 3 });
  assert.deepEqual(read(bytes('{"code":2,"msg":"no","id":4}')), {
    type: 'reply',
    id: 4,
    error: '2: no',
  });
  const shutdown = '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}';
  assert.equal(read(bytes(shutdown)).type, 'shutdown');
  assert.equal(read(bytes('{"e":"serverShutdown","E":1770123456789}')).type, 'shutdown');
  assert.equal(read(bytes('{"stream":"!x@arr","data":{"e":"new"}}')).type, 'ignored');
});

test('no bytes make it throw, and none but a trade’s make a trade', () => {
  const any = fc.oneof(fc.uint8Array(), fc.string().map(bytes), fc.json().map(bytes));
  fc.assert(
    fc.property(any, (frame) => {
      assert.notEqual(read(frame).type, 'trade');
    }),
  );
});

const capture = join(import.meta.dirname, '../../../../shared/data/ws/BINANCE.ws.1.0');
const skip = existsSync(capture) || process.env['CI'] === 'true' ? false : `no ${capture}`;
test('a real capture is understood, frame by frame', { skip }, () => {
  const frames = readFileSync(capture, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const start = line.indexOf('{');
      return start < 0 ? [] : [line.slice(start)];
    });
  const events = frames.map((frame) => JSON.parse(frame).data);
  const symbols = new Set(events.flatMap((event) => (event?.s ? [marketSymbol(event.s)] : [])));
  const readReal = createFrameReader(symbols);
  const found = new Map<string, number>();
  for (const frame of frames) {
    const { type } = readReal(bytes(frame));
    found.set(type, (found.get(type) ?? 0) + 1);
  }
  assert.equal(found.get('trade'), events.filter((event) => event?.e === 'aggTrade').length);
  assert((found.get('trade') ?? 0) > 0);
  assert.equal(
    found.get('closed-minute') ?? 0,
    events.filter((event) => event?.e === 'kline' && event.k.x && event.k.i === '1m').length,
  );
});
