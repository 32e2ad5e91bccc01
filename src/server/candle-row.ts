// A candle as the dashboard's row, as JSON text: written once, sent to many.
import type { Audit, Verdict } from '../core/audit/audit.ts';
import type { Candle, LiveCandle } from '../core/market/candle.ts';
import { formatDecimal } from '../core/market/decimal.ts';
import {
  type CandleRow,
  ROW_CLOSED,
  ROW_COMPLETE,
  ROW_DIFFERS,
  ROW_FROM_KLINES,
  ROW_REPAIRED,
  ROW_UNVERIFIED,
  ROW_VERIFIED,
} from '../protocol/browser.ts';

/** From the store and the closed topics (always closed), or a live one that says so itself. */
export type AnyCandle = Candle | LiveCandle;

export function isClosed(candle: AnyCandle): boolean {
  return !('closed' in candle) || candle.closed;
}

const VERDICT_FLAGS: Readonly<Record<Verdict, number>> = {
  verified: ROW_VERIFIED,
  repaired: ROW_REPAIRED,
  differs: ROW_DIFFERS,
  unverified: ROW_UNVERIFIED,
};

/** Whether `audit` is about this very candle: a verdict on another revision says nothing of it. */
export function isAuditOf(audit: Audit, candle: AnyCandle): boolean {
  return (
    candle.interval === '1m' &&
    audit.openTime === candle.openTime &&
    audit.revision === candle.revision &&
    isClosed(candle)
  );
}

export function candleRow(candle: AnyCandle): CandleRow {
  return auditedRow(candle, undefined);
}

/** With the verdict on it, where there is one on this revision. */
export function auditedRow(candle: AnyCandle, audit: Audit | undefined): CandleRow {
  const verdict = audit !== undefined && isAuditOf(audit, candle) ? audit.verdict : undefined;
  return [
    candle.openTime,
    formatDecimal(candle.open),
    formatDecimal(candle.high),
    formatDecimal(candle.low),
    formatDecimal(candle.close),
    formatDecimal(candle.volume),
    formatDecimal(candle.quoteVolume),
    candle.trades,
    formatDecimal(candle.takerBuyVolume),
    formatDecimal(candle.takerBuyQuoteVolume),
    candle.firstTradeId ?? null,
    candle.lastTradeId ?? null,
    candle.revision,
    (isClosed(candle) ? ROW_CLOSED : 0) |
      (candle.complete ? ROW_COMPLETE : 0) |
      (candle.source === 'klines' ? ROW_FROM_KLINES : 0) |
      (verdict === undefined ? 0 : VERDICT_FLAGS[verdict]),
  ];
}
