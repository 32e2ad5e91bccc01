// Feeds spoiled frames and REST bodies to what reads them, and compares with an oracle of its own: what is a trade, by the exchange's
// documentation alone. Throws at the first difference, naming seed and input.
import assert from 'node:assert/strict';
import { type AggTrade, isVoid } from '../../src/core/market/agg-trade.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import type { EpochMs } from '../../src/core/market/time.ts';
import { createFrameReader } from '../../src/feed/binance/frames.ts';
import { readKlines } from '../../src/feed/binance/kline-rows.ts';
import { createRest } from '../../src/feed/binance/rest.ts';
import { readRestAnswer } from '../../src/feed/binance/rest-answer.ts';
import { createWeightBudget } from '../../src/feed/binance/weight-budget.ts';
import { type Random, seeded, spoilFields, spoilText } from './mutate.ts';

export interface FuzzResult {
  readonly frames: number;
  readonly bodies: number;
  /** Frames and rows taken as trades, and the oracle agreed. */
  readonly trades: number;
  readonly minutes: number;
  readonly rejected: number;
}

const SYMBOL = marketSymbol('BTCUSDT');
const NOW = Date.UTC(2026, 0, 14, 10) as EpochMs;

interface Fields {
  readonly [name: string]: unknown;
}

function tradeFields(random: Random): Fields {
  const a = Math.floor(random() * 1e9);
  const f = a * 2;
  return {
    e: 'aggTrade',
    E: NOW + 5,
    s: 'BTCUSDT',
    a,
    p: `${Math.floor(random() * 1e5)}.${String(Math.floor(random() * 1e8)).padStart(8, '0')}`,
    q: `0.${String(1 + Math.floor(random() * 9e7)).padStart(8, '0')}`,
    f,
    l: f + Math.floor(random() * 5),
    T: NOW,
    m: random() < 0.5,
    M: true,
  };
}

function klineFields(random: Random): Fields {
  const close = `${1 + Math.floor(random() * 1e5)}.00000000`;
  const t = NOW + 60_000 * Math.floor(random() * 1_000);
  const k = {
    ...{ t, T: t + 59_999, s: 'BTCUSDT', i: '1m', f: 10, L: 12, o: close, c: close, h: close },
    ...{ l: close, v: '2.0', n: 3, x: true, q: '5.0', V: '1.0', Q: '2.5', B: '0' },
  };
  return {
    e: 'kline',
    E: t + 60_002,
    s: 'BTCUSDT',
    k: random() < 0.5 ? spoilFields(k, random) : k,
  };
}

const isId = (value: unknown) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 1e15;
const isTime = (value: unknown) => isId(value) && (value as number) <= 253_402_300_799_999;
const isAmount = (value: unknown) =>
  typeof value === 'string' &&
  value.length <= 40 &&
  /^(0|[1-9][0-9]{0,14})(\.[0-9]{1,8}0*)?$/.test(value) &&
  /[1-9]/.test(value);

/** By the documentation of the aggTrade event: fields, types, ranges. */
function isTrade(data: Fields): boolean {
  return (
    isTime(data['E']) &&
    data['s'] === 'BTCUSDT' &&
    isId(data['a']) &&
    isAmount(data['p']) &&
    isAmount(data['q']) &&
    isId(data['f']) &&
    isId(data['l']) &&
    (data['l'] as number) >= (data['f'] as number) &&
    isTime(data['T']) &&
    typeof data['m'] === 'boolean'
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function dataOf(bytes: Uint8Array): Fields | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (!isFields(value) || typeof value['stream'] !== 'string') return undefined;
    return isFields(value['data']) ? value['data'] : undefined;
  } catch {
    return undefined;
  }
}

function assertIs(trade: AggTrade, data: Fields): void {
  const amount = (text: unknown): [number, number] => {
    const [integer, fraction = ''] = String(text).split('.');
    return [Number(integer), Number(fraction.slice(0, 8).padEnd(8, '0'))];
  };
  assert.deepEqual(
    [
      [trade.priceInteger, trade.priceFraction],
      [trade.quantityInteger, trade.quantityFraction],
      [trade.aggTradeId, trade.firstTradeId, trade.lastTradeId, trade.tradeTime],
      trade.buyerIsMaker,
    ].flat(),
    [
      amount(data['p']),
      amount(data['q']),
      [data['a'], data['f'], data['l'], data['T']].map((value) => Number(value) + 0),
      data['m'],
    ].flat(),
  );
}

/** Runs `inputs` spoiled inputs by `seed`; two thirds are frames. */
export async function fuzz(options: { seed: number; inputs: number }): Promise<FuzzResult> {
  const { seed, inputs } = options;
  const random = seeded(seed);
  const read = createFrameReader(new Set([SYMBOL]));
  const result = { frames: 0, bodies: 0, trades: 0, minutes: 0, rejected: 0 };
  let answer: unknown;
  const rest = createRest(
    {
      budget: createWeightBudget(),
      ask: async () => ({ value: answer, answeredAt: NOW, sentAt: NOW, tookMs: 1 }),
    },
    { now: () => NOW, sleep: async () => {} },
  );
  const asking = { priority: 'urgent', signal: new AbortController().signal } as const;

  function frame(): void {
    result.frames += 1;
    const fields = random() < 0.7 ? tradeFields(random) : klineFields(random);
    const data = random() < 0.5 ? spoilFields(fields, random) : fields;
    const text = JSON.stringify({ stream: 'btcusdt@aggTrade', data });
    const bytes = random() < 0.6 ? spoilText(text, random) : Buffer.from(text);
    const got = read(bytes);
    const wanted = dataOf(bytes);
    const isOne = wanted !== undefined && wanted['e'] === 'aggTrade' && isTrade(wanted);
    assert.equal(got.type === 'trade', isOne, `${got.type}: ${Buffer.from(bytes)}`);
    if (got.type === 'trade' && wanted !== undefined) {
      assertIs(got.trade, wanted);
      result.trades += 1;
    } else if (got.type === 'closed-minute') {
      const { low, open, close, high, trades, lastTradeId } = got.candle;
      assert(low <= open && low <= close && open <= high && close <= high);
      assert((trades === 0) === (lastTradeId === -1));
      result.minutes += 1;
    } else if (got.type === 'rejected') result.rejected += 1;
  }

  function spoiledBody(value: unknown): unknown {
    const text = JSON.stringify(value);
    const bytes = random() < 0.5 ? spoilText(text, random) : Buffer.from(text);
    const body = new TextDecoder().decode(bytes);
    const outcome = readRestAnswer({ status: 200, headers: {}, body }, 'exchange');
    return outcome.type === 'data' ? outcome.value : undefined;
  }

  async function trades(): Promise<void> {
    const rows = Array.from({ length: 3 }, () => {
      const { e: _e, E: _E, s: _s, ...row } = tradeFields(random);
      return random() < 0.4 ? spoilFields(row, random) : row;
    });
    answer = spoiledBody(rows);
    const page = await rest.aggTrades(SYMBOL, {}, asking).catch(expectedError);
    if (page === undefined || !Array.isArray(answer)) return;
    const wanted = answer
      .filter(isFields)
      .map((row) => ({ ...row, E: row['T'], s: 'BTCUSDT' }) as Fields)
      .filter(isTrade);
    // What REST gives without a price or quantity uses up its id, and is a rejected row besides.
    const taken = page.trades.filter((trade) => !isVoid(trade));
    assert.ok(page.trades.length - taken.length <= page.rejected.length);
    assert.equal(taken.length, wanted.length, JSON.stringify(answer));
    const ids = wanted.map((row) => Number(row['a']) + 0).sort((a, b) => a - b);
    assert.deepEqual(
      taken.map(({ aggTradeId }) => aggTradeId + 0),
      ids,
    );
    result.trades += taken.length;
    result.rejected += page.rejected.length;
  }

  function klines(): void {
    const row = [NOW, '1.0', '2.0', '0.5', '1.5', '9.0', NOW + 59_999, '9.0', 3, '1.0', '1.0', '0'];
    const value = spoiledBody([Object.values(spoilFields({ ...row }, random))]);
    try {
      const { closed } = readKlines(value, { symbol: SYMBOL, interval: '1m', now: NOW });
      for (const candle of closed) assert(candle.volume >= 0n && candle.trades >= 0);
    } catch (error) {
      expectedError(error);
    }
  }

  for (let index = 0; index < inputs; index++) {
    try {
      if (random() < 0.67) {
        frame();
        continue;
      }
      result.bodies += 1;
      if (random() < 0.6) await trades();
      else klines();
    } catch (cause) {
      throw new Error(`Input ${index} of seed ${seed}`, { cause });
    }
  }
  return result;
}

/** An answer that makes no sense is one error that says what was expected, no crash somewhere inside. */
function expectedError(error: unknown): undefined {
  assert(error instanceof Error && error.constructor === Error, String(error));
  assert.match(error.message, /^Expected /);
  return undefined;
}
