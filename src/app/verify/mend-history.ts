// Mends stored candles that differ from the exchange's: minutes and seconds from their trades again, longer ones put together anew, and only where
// that cannot be done from the exchange's kline. Removes nothing, and never replaces what its trades give again.

import { foldTrades } from '../../core/aggregation/fold-trades.ts';
import { isFromDays, mergeAll } from '../../core/aggregation/roll-up.ts';
import type { Audit } from '../../core/audit/audit.ts';
import type { HistoryDifference } from '../../core/audit/compare-history.ts';
import { FROM_KLINES_REASON } from '../../core/audit/minute-audit.ts';
import { type Candle, type CorrectionReason, sameCandleValues } from '../../core/market/candle.ts';
import type { Interval } from '../../core/market/interval.ts';
import { differsByRounding } from '../../core/market/rounding.ts';
import { type Clock, minuteOf } from '../../core/market/time.ts';
import type { MarketHistory } from '../../feed/binance/market-history.ts';
import type { CandleStore } from '../../store/candle-store.ts';

/** Minutes in a day, days in a month, and more. */
const PARTS_MAX = 2_000;

export interface MendOptions {
  readonly store: Pick<CandleStore, 'read' | 'write' | 'writeAudits'>;
  readonly history: Pick<MarketHistory, 'minuteTrades'>;
  readonly clock: Clock;
}

/** Undefined where nothing could be done; else where the candle now in the store comes from. */
export type Mended = 'trades' | 'shorter candles' | 'kline' | 'digits' | undefined;

type Faulty = HistoryDifference & { readonly theirs: Candle };

/** Mends one difference after the other, ascending within a series, shorter intervals first. @throws whatever store or exchange throw. */
export function historyMender(
  options: MendOptions,
): (difference: HistoryDifference) => Promise<Mended> {
  const { store, clock } = options;
  const tradesOf = minuteReader(options.history);

  /** The candle to write, and what it is made of; undefined: its trades give ours again. */
  async function replacement(difference: Faulty): Promise<[Candle, Mended] | undefined> {
    const { theirs } = difference;
    const { interval } = theirs;
    if (difference.type === 'rounding') return [withDigits(difference.ours, theirs), 'digits'];
    if (difference.type === 'incomplete') return [{ ...difference.ours, complete: true }, 'kline'];
    return interval === '1s' || interval === '1m'
      ? folded({ ...theirs, interval })
      : rolledUp(theirs, interval);
  }

  async function rolledUp(theirs: Candle, interval: Interval): Promise<[Candle, Mended]> {
    const merged = mergeAll(await partsOf(theirs), interval, theirs.openTime);
    const agreed = merged === undefined ? undefined : agreeing(merged, theirs);
    return agreed === undefined ? [theirs, 'kline'] : [agreed, 'shorter candles'];
  }

  async function folded(
    theirs: Candle & { readonly interval: '1s' | '1m' },
  ): Promise<[Candle, Mended] | undefined> {
    const trades = await tradesOf(theirs);
    if (trades === undefined) return [theirs, 'kline'];
    const { openTime, closeTime } = theirs;
    const own = trades.filter(({ tradeTime }) => tradeTime >= openTime && tradeTime <= closeTime);
    const again = foldTrades(theirs, own, theirs.open);
    const agreed = again === undefined ? undefined : agreeing(again, theirs);
    return agreed === undefined ? undefined : [agreed, 'trades'];
  }

  function partsOf({ symbol, interval, openTime, closeTime }: Candle): Promise<readonly Candle[]> {
    const isOfDays = isFromDays(interval);
    const span = { symbol, from: openTime, to: closeTime, limit: PARTS_MAX };
    return store.read({ ...span, interval: isOfDays ? '1d' : '1m', take: 'first' });
  }

  return async (difference) => {
    if (difference.type === 'extra') return undefined;
    const found = await replacement(difference);
    if (found === undefined) return undefined;
    const [candle, mended] = found;
    const ours = difference.type === 'missing' ? undefined : difference.ours;
    const revised = withRevision(candle, ours, reasonOf(candle.interval, mended));
    await store.write([revised]);
    if (revised.interval === '1m') await store.writeAudits([verdictOn(revised, clock)]);
    return mended;
  };
}

/** `candle`, with the exchange's digits where only rounding differs; undefined where more does. */
function agreeing(candle: Candle, theirs: Candle): Candle | undefined {
  if (sameCandleValues(candle, theirs)) return { ...candle, complete: true };
  return differsByRounding(candle, theirs) ? withDigits(candle, theirs) : undefined;
}

function withDigits(candle: Candle, theirs: Candle): Candle {
  const { quoteVolume, takerBuyQuoteVolume } = theirs;
  return { ...candle, quoteVolume, takerBuyQuoteVolume, complete: true };
}

function withRevision(candle: Candle, ours: Candle | undefined, reason: CorrectionReason): Candle {
  const { reason: _, ...rest } = candle;
  if (ours === undefined) return { ...rest, revision: 0 };
  return { ...rest, revision: ours.revision + 1, reason };
}

function reasonOf(interval: Interval, mended: Mended): CorrectionReason {
  if (mended === 'digits') return 'rounding';
  return interval === '1s' || interval === '1m' ? 'repair' : 'rolled-up-correction';
}

function verdictOn(candle: Candle, clock: Clock): Audit {
  const { symbol, openTime, revision, source, reason } = candle;
  const about = { symbol, openTime, revision, at: clock.now() };
  if (source === 'klines') {
    return { ...about, verdict: 'unverified', rounding: false, reason: FROM_KLINES_REASON };
  }
  const rounding = reason === 'rounding';
  return { ...about, verdict: rounding ? 'verified' : 'repaired', rounding };
}

/** The trades of the minute that holds a candle, once for its sixty seconds; undefined where they cannot be had. */
function minuteReader(history: MendOptions['history']) {
  let last: { readonly key: string; readonly trades: ReturnType<typeof read> } | undefined;

  async function read({ symbol, openTime }: Candle) {
    const answer = await history.minuteTrades(symbol, minuteOf(openTime));
    return answer.type === 'whole' ? answer.trades : undefined;
  }

  return (candle: Candle): ReturnType<typeof read> => {
    const key = `${candle.symbol} ${minuteOf(candle.openTime)}`;
    if (last?.key !== key) last = { key, trades: read(candle) };
    return last.trades;
  };
}
