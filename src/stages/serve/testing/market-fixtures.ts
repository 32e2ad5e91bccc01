// Candles, trades and a status for tests, complete and plausible, with what a test wants to say changed.
import type { Audit } from '../../../core/audit/audit.ts';
import type { AggTrade } from '../../../core/market/agg-trade.ts';
import type { Candle, LiveCandle } from '../../../core/market/candle.ts';
import { decimal } from '../../../core/market/decimal.ts';
import type { FeedStatus } from '../../../core/market/feed-status.ts';
import { closeTimeOf, type Interval } from '../../../core/market/interval.ts';
import { marketSymbol } from '../../../core/market/symbol.ts';
import { type EpochMs, epochMs } from '../../../core/market/time.ts';

export const BTCUSDT = marketSymbol('BTCUSDT');
export const ETHUSDT = marketSymbol('ETHUSDT');
/** 2026-01-01T00:00:00Z */
export const NEW_YEAR: EpochMs = epochMs(1_767_225_600_000);

export function minute(index: number): EpochMs {
  return epochMs(NEW_YEAR + index * 60_000);
}

export function aCandle(openTime: number, overrides: Partial<Candle> = {}): Candle {
  const interval: Interval = overrides.interval ?? '1m';
  return {
    symbol: BTCUSDT,
    interval,
    openTime: epochMs(openTime),
    closeTime: closeTimeOf(interval, epochMs(openTime)),
    open: decimal('90000.10'),
    high: decimal('90001.00'),
    low: decimal('89999.99'),
    close: decimal('90000.50'),
    volume: decimal('1.50000000'),
    quoteVolume: decimal('135000.75'),
    trades: 3,
    takerBuyVolume: decimal('0.5'),
    takerBuyQuoteVolume: decimal('45000.25'),
    firstTradeId: 100,
    lastTradeId: 102,
    revision: 0,
    complete: true,
    source: 'trades',
    ...overrides,
  };
}

export function aLiveCandle(openTime: number, overrides: Partial<LiveCandle> = {}): LiveCandle {
  return { ...aCandle(openTime, overrides), closed: false, lastAggTradeId: 50, ...overrides };
}

export function anAudit(openTime: number, overrides: Partial<Audit> = {}): Audit {
  return {
    symbol: BTCUSDT,
    openTime: epochMs(openTime),
    verdict: 'verified',
    revision: 0,
    rounding: false,
    at: epochMs(openTime + 62_000),
    ...overrides,
  };
}

export function aTrade(aggTradeId: number, overrides: Partial<AggTrade> = {}): AggTrade {
  return {
    symbol: BTCUSDT,
    aggTradeId,
    priceInteger: 90_000,
    priceFraction: 10_000_000,
    quantityInteger: 0,
    quantityFraction: 5_000_000,
    firstTradeId: aggTradeId * 2,
    lastTradeId: aggTradeId * 2 + 1,
    tradeTime: epochMs(NEW_YEAR + aggTradeId),
    eventTime: epochMs(NEW_YEAR + aggTradeId + 1),
    buyerIsMaker: aggTradeId % 2 === 0,
    ...overrides,
  };
}

export function liveStatus(at: EpochMs, overrides: Partial<FeedStatus> = {}): FeedStatus {
  return {
    source: { kind: 'simulated', seed: 7 },
    state: 'live',
    since: at,
    at,
    clockOffsetMs: 0,
    symbols: {},
    ...overrides,
  };
}
