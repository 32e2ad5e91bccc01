// Wishes: from the log to the feed and the store, and taken back where the feed refuses them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { SymbolWish } from '../../core/market/listing.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import type { EpochMs } from '../../core/market/time.ts';
import { memoryLog } from '../../log/memory/memory-log.ts';
import { SYMBOLS } from '../../protocol/topics.ts';
import { manualClock } from '../serve/testing/manual-clock.ts';
import { createWishes } from './follow-wishes.ts';

const ETHUSDT = marketSymbol('ETHUSDT');
const wish = (wanted: boolean): SymbolWish => ({ symbol: ETHUSDT, wanted, at: 5 as EpochMs });
const record = (value: SymbolWish) => ({
  topic: SYMBOLS,
  key: value.symbol,
  value,
  timestamp: value.at,
});

/** Follows `log`; `calls` is what came of it, in order. */
async function start({ isStoreFailing = false, readFaults = 0 } = {}) {
  let faults = readFaults;
  const stop = new AbortController();
  const clock = manualClock();
  const log = memoryLog({ clock });
  const calls: string[] = [];
  const line = (text: unknown) => void calls.push(`said ${text}`);
  const wishes = createWishes({
    log,
    feed: {
      add: ({ symbol, resumeFrom }) => void calls.push(`add ${symbol} ${resumeFrom}`),
      remove: (symbol) => void calls.push(`remove ${symbol}`),
    },
    store: {
      async writeSymbolWish({ wanted }) {
        if (isStoreFailing) throw new Error('disk full');
        calls.push(`kept ${wanted}`);
      },
    },
    startOf: async (symbol) => {
      if (faults-- > 0) throw new Error('database away');
      return { symbol, resumeFrom: 60_000 as EpochMs };
    },
    clock,
    logger: { info: () => undefined, warn: line },
    signal: stop.signal,
  });
  const following = wishes.follow();
  const settle = async () => {
    for (let turn = 0; turn < 10; turn++) await setImmediate();
  };
  const end = async () => {
    stop.abort();
    await following;
    await log[Symbol.asyncDispose]();
  };
  return { log, clock, wishes, calls, settle, [Symbol.asyncDispose]: end };
}

test('a wish is kept, then granted: added where the store ends, or removed', async () => {
  await using run = await start();
  await run.log.append([record(wish(true))]);
  await run.settle();
  await run.log.append([record(wish(false))]);
  await run.settle();
  assert.deepEqual(run.calls, ['kept true', 'add ETHUSDT 60000', 'kept false', 'remove ETHUSDT']);
});

test('a wish that cannot be kept is granted all the same, and it is said', async () => {
  await using run = await start({ isStoreFailing: true });
  await run.log.append([record(wish(true))]);
  await run.settle();
  assert.match(run.calls[0] ?? '', /ETHUSDT could not be kept, a restart forgets it.*disk full/);
  assert.equal(run.calls[1], 'add ETHUSDT 60000');
});

test('a store that cannot say where the symbol ends is asked again: the wish is granted then', async () => {
  await using run = await start({ readFaults: 2 });
  await run.log.append([record(wish(true))]);
  await run.settle();
  assert.match(run.calls[1] ?? '', /Where ETHUSDT goes on could not be read: .*database away/);
  await run.clock.advance(10_000);
  await run.settle();
  assert.equal(run.calls.at(-1), 'add ETHUSDT 60000');
});

test('what the feed refuses is wished no longer; other rejections are no wishes', async () => {
  await using run = await start();
  await run.log.append([record(wish(true))]);
  await run.settle();
  await run.wishes.refused('{"e":"garbage"}');
  await run.wishes.refused('ETHUSDT');
  await run.wishes.refused('ETHUSDT');
  await run.settle();
  assert.deepEqual(run.calls.slice(2), ['kept false', 'remove ETHUSDT']);
});
