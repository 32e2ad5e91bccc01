import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import '../../../test/property-seed.ts';
import fc from 'fast-check';
import type { Audit } from '../../core/audit/audit.ts';
import { addMs } from '../../core/market/time.ts';
import { type CandleRow, ROW_VERIFIED } from '../../protocol/browser.ts';
import { MarketModel } from '../../stages/serve/market-model.ts';
import { manualClock } from '../../stages/serve/testing/manual-clock.ts';
import {
  aCandle,
  aLiveCandle,
  anAudit,
  BTCUSDT,
  liveStatus,
  minute,
  NEW_YEAR,
} from '../../stages/serve/testing/market-fixtures.ts';
import { type AnyCandle, auditedRow } from '../candle-row.ts';
import { mergeCandles } from '../candle-window.ts';
import { feedNews } from '../feed-news.ts';
import { plainStore } from '../testing/plain-store.ts';
import { LiveConnection, SLOW_READER_BYTES_MAX } from './live-connection.ts';
import { LiveViews } from './live-views.ts';

/** What may happen, in any order. */
type Step =
  | { readonly type: 'trade' }
  | { readonly type: 'close' }
  | { readonly type: 'correct'; readonly back: number }
  /** A verdict on a minute; one on a revision that is still to come says nothing of this one. */
  | { readonly type: 'judge'; readonly back: number; readonly ahead: number }
  | { readonly type: 'persist' }
  | { readonly type: 'watch' }
  | { readonly type: 'read' }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'slow'; readonly isSlow: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ type: 'trade' as const }) },
  fc.constant({ type: 'close' as const }),
  fc.record({ type: fc.constant('correct' as const), back: fc.integer({ min: 1, max: 90 }) }),
  fc.record({
    type: fc.constant('judge' as const),
    back: fc.integer({ min: 1, max: 90 }),
    ahead: fc.integer({ min: 0, max: 1 }),
  }),
  fc.constant({ type: 'persist' as const }),
  fc.constant({ type: 'watch' as const }),
  { weight: 2, arbitrary: fc.constant({ type: 'read' as const }) },
  fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ type: fc.constant('slow' as const), isSlow: fc.boolean() }),
);

/** More than the market's own tail: older ones are known to the store alone. */
const HISTORY = 80;

class Dashboard {
  readonly rows = new Map<number, CandleRow>();
  bufferedAmount = 0;
  hasSnapshot = false;

  send(text: string): void {
    const message = JSON.parse(text);
    if (message.type === 'status') return;
    if (message.type === 'snapshot') this.rows.clear();
    else assert.ok(this.hasSnapshot, 'no update before its snapshot');
    this.hasSnapshot = true;
    for (const row of message.candles) {
      const held = this.rows.get(row[0]);
      if (held !== undefined) {
        // A verdict that came while a snapshot was read may be in both: better twice than not at all.
        if ((row[13] & ROW_VERIFIED) === 0) assert.notDeepEqual(row, held, 'nothing twice');
        assert.ok(row[12] >= held[12], 'no revision goes back');
      }
      this.rows.set(row[0], row);
    }
  }

  close(): void {
    assert.fail('no reader here is stuck');
  }
}

describe('LiveViews', () => {
  it('lets a dashboard end at the market’s own state, whatever happens between snapshot and updates', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = manualClock();
        const market = new MarketModel([BTCUSDT]);
        const store = plainStore();
        market.applyStatus(liveStatus(clock.now()));
        using news = feedNews({ market, clock });
        using views = new LiveViews({ market, store, news, clock });
        const truth = new Map<number, AnyCandle>();
        const unstored: AnyCandle[] = [];
        const verdicts = new Map<number, Audit>();
        const superseded = new Map<number, Audit | undefined>();
        /** The store keeps one verdict a minute: while the candle of a newer one is still to come, either is true. */
        const judged = (openTime: number, ahead: number): void => {
          if (ahead > 0) superseded.set(openTime, verdicts.get(openTime));
          else superseded.delete(openTime);
        };
        const unstoredVerdicts: Audit[] = [];
        const know = (candle: AnyCandle): void => {
          const [newest] = mergeCandles([truth.get(candle.openTime) ?? candle], [candle]);
          truth.set(candle.openTime, newest ?? candle);
        };
        const close = (index: number, revision: number): void => {
          const candle = aCandle(minute(index), { revision, trades: index + revision });
          know(candle);
          unstored.push(candle);
          market.applyClosed(candle);
        };
        for (let index = 0; index < HISTORY; index += 1) close(index, 0);
        await store.write(unstored.splice(0));

        const dashboard = new Dashboard();
        const connection = new LiveConnection(dashboard, clock);
        views.add(connection);
        const reads: (() => void)[] = [];
        store.beforeRead = () => new Promise((resolve) => reads.push(resolve));
        const watching: Promise<void>[] = [];
        const watch = (): void => {
          const view = { symbol: BTCUSDT, interval: '1m', limit: 2_000 } as const;
          dashboard.hasSnapshot = false;
          watching.push(views.watch(connection, view));
        };
        let open = HISTORY;
        let trades = 0;
        let judgedAt = 0;
        const take = async (taken: Step): Promise<void> => {
          switch (taken.type) {
            case 'trade': {
              trades += 1;
              const candle = aLiveCandle(minute(open), { trades, lastAggTradeId: trades });
              know(candle);
              market.applyLive(candle);
              return;
            }
            case 'close':
              close(open, 0);
              open += 1;
              return;
            case 'correct': {
              const index = Math.max(0, open - taken.back);
              close(index, (truth.get(minute(index))?.revision ?? 0) + 1);
              return;
            }
            case 'judge': {
              const openTime = minute(Math.max(0, open - taken.back));
              const revision = (truth.get(openTime)?.revision ?? 0) + taken.ahead;
              judgedAt += 1;
              const audit = anAudit(openTime, { revision, at: addMs(NEW_YEAR, judgedAt) });
              judged(openTime, taken.ahead);
              verdicts.set(openTime, audit);
              unstoredVerdicts.push(audit);
              market.applyAudit(audit);
              await clock.advance(0);
              return;
            }
            case 'persist':
              await store.writeAudits(unstoredVerdicts.splice(0));
              await store.write(unstored.splice(0));
              return;
            case 'watch':
              watch();
              return;
            case 'read':
              reads.shift()?.();
              await clock.advance(0);
              return;
            case 'wait':
              await clock.advance(taken.ms);
              return;
            case 'slow':
              dashboard.bufferedAmount = taken.isSlow ? SLOW_READER_BYTES_MAX + 1 : 0;
          }
        };
        watch();
        for (const taken of steps) await take(taken);
        dashboard.bufferedAmount = 0;
        store.beforeRead = async () => undefined;
        while (reads.length > 0) reads.shift()?.();
        await Promise.all(watching);
        await clock.advance(200);
        const rowOf = (candle: AnyCandle): CandleRow => {
          const row = auditedRow(candle, verdicts.get(candle.openTime));
          const older = auditedRow(candle, superseded.get(candle.openTime));
          return dashboard.rows.get(candle.openTime)?.[13] === older[13] ? older : row;
        };
        assert.deepEqual(
          [...dashboard.rows.values()].sort((a, b) => a[0] - b[0]),
          [...truth.values()].sort((a, b) => a.openTime - b.openTime).map(rowOf),
        );
      }),
      { numRuns: 300 },
    );
  });
});
