// What every CandleStore must do with verdicts and symbol wishes, run against each adapter.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Audit } from '../../src/core/audit/audit.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { epochMs, MINUTE_MS } from '../../src/core/market/time.ts';
import { BTCUSDT, candleAt, DAY_START, type MakeCandleStore } from './candle-store-contract.ts';

const ETHUSDT = marketSymbol('ETHUSDT');

function auditAt(index: number, changes: Partial<Audit> = {}): Audit {
  return {
    symbol: BTCUSDT,
    openTime: epochMs(DAY_START + index * MINUTE_MS),
    verdict: 'verified',
    revision: 0,
    rounding: false,
    at: epochMs(DAY_START + (index + 1) * MINUTE_MS),
    ...changes,
  };
}

export function auditStoreContract(name: string, makeStore: MakeCandleStore): void {
  describe(`${name} keeps verdicts`, () => {
    it('gives back what was written, both candles included, ascending', async () => {
      await using store = await makeStore();
      const differs = auditAt(2, {
        verdict: 'differs',
        reason: 'volume differs',
        ours: candleAt(2),
        theirs: candleAt(2, { source: 'klines', trades: 7 }),
      });
      await store.writeAudits([differs, auditAt(0), auditAt(1), auditAt(0, { symbol: ETHUSDT })]);
      const query = { symbol: BTCUSDT, limit: 10, take: 'first' } as const;
      assert.deepEqual(await store.readAudits(query), [auditAt(0), auditAt(1), differs]);
      assert.deepEqual(await store.readAudits({ ...query, limit: 1, take: 'last' }), [differs]);
      const [from, to] = [auditAt(1).openTime, auditAt(1).openTime];
      assert.deepEqual(await store.readAudits({ ...query, from, to }), [auditAt(1)]);
    });

    it('counts each minute once, by its newest verdict', async () => {
      await using store = await makeStore();
      await store.writeAudits([auditAt(0), auditAt(1), auditAt(2)]);
      const later = { verdict: 'repaired', revision: 1, at: epochMs(DAY_START * 2) } as const;
      await store.writeAudits([auditAt(1, later)]);
      await store.writeAudits([auditAt(1)]);
      assert.deepEqual(await store.countAudits({ symbol: BTCUSDT }), {
        verified: 2,
        repaired: 1,
        differs: 0,
        unverified: 0,
      });
      const from = auditAt(1).openTime;
      const counts = await store.countAudits({ symbol: BTCUSDT, from, to: from });
      assert.deepEqual(counts, { verified: 0, repaired: 1, differs: 0, unverified: 0 });
      assert.equal((await store.countAudits({ symbol: ETHUSDT })).verified, 0);
    });

    it("keeps each symbol's newest wish", async () => {
      await using store = await makeStore();
      assert.deepEqual(await store.symbolWishes(), []);
      const wish = { symbol: ETHUSDT, wanted: true, at: DAY_START };
      await store.writeSymbolWish(wish);
      await store.writeSymbolWish({ ...wish, symbol: BTCUSDT });
      await store.writeSymbolWish({ ...wish, wanted: false });
      assert.deepEqual(await store.symbolWishes(), [
        { ...wish, symbol: BTCUSDT },
        { ...wish, wanted: false },
      ]);
    });
  });
}
