// What the stub server answers beside candles: audits and their summary, listings, symbols added and removed.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuditDay, AuditSummary, CandleRow } from '../../src/protocol/browser.ts';
import { STUB_VERDICTS } from './generated-candles.ts';

export interface StubListing {
  readonly symbol: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly status: string;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

const LISTED = (
  'BTC ETH SOL XRP DOGE ADA AVAX DOT LINK LTC BCH TRX PEPE SHIB NEAR APT ARB OP SUI TON ATOM FIL ' +
  'ICP ETC XLM HBAR INJ TIA SEI WIF BONK FLOKI RENDER FET AAVE UNI MKR LDO RUNE ALGO'
).split(' ');

export const STUB_LISTINGS: readonly StubListing[] = LISTED.flatMap((baseAsset) =>
  ['USDT', 'FDUSD', 'BTC'].map((quoteAsset) => ({
    symbol: `${baseAsset}${quoteAsset}`,
    baseAsset,
    quoteAsset,
    status: baseAsset === 'MKR' ? 'BREAK' : 'TRADING',
  })),
).filter(({ baseAsset, quoteAsset }) => baseAsset !== quoteAsset);

/** The day's standing as the generated rows have it: everything but the minute that has just closed. */
export function stubAuditDay(symbol: string, now: number): AuditDay {
  const day = now - (now % DAY_MS);
  const closed = Math.floor((now - day) / MINUTE_MS);
  const isOdd = symbol === 'ETHUSDT';
  const of = (wanted: string) =>
    isOdd ? [...STUB_VERDICTS.values()].filter((verdict) => verdict === wanted).length : 0;
  const others = { repaired: of('repaired'), differs: of('differs'), unverified: of('unverified') };
  const judged = others.repaired + others.differs + others.unverified;
  const verified = Math.max(0, closed - judged);
  return { day, closed, verified, ...others, fromKlines: 0, since: day };
}

export function stubSummary(symbol: string, audit: AuditDay, startedAt: number): AuditSummary {
  const exceptions = [...STUB_VERDICTS]
    .filter(() => symbol === 'ETHUSDT')
    .map(([behind, verdict]) => ({
      openTime: startedAt - (startedAt % MINUTE_MS) - behind * MINUTE_MS,
      verdict,
      reason: REASONS[verdict],
    }))
    .sort((a, b) => b.openTime - a.openTime);
  return { symbol, audit, exceptions };
}

const REASONS = {
  repaired: '3 trades had been lost in a reset; fetched again',
  differs: 'Fetched again, the trades give our candle; a fresh kline still disagrees',
  unverified: 'The exchange gave no candle of this minute within 2 min',
} as const;

/** The verdict on a generated row, as `/api/v1/audits` has it. */
export function stubAudit(symbol: string, row: CandleRow, behind: number) {
  const verdict = symbol === 'ETHUSDT' ? (STUB_VERDICTS.get(behind) ?? 'verified') : 'verified';
  const audit = { symbol, openTime: row[0], verdict, revision: row[12], rounding: false };
  if (verdict === 'verified') return audit;
  const reason = REASONS[verdict];
  if (verdict !== 'differs') return { ...audit, reason };
  const ours = fieldsOf(row);
  const theirs = {
    ...ours,
    high: ours.high.replace(/\d(?=0*$)/, (last) => (last === '9' ? '8' : '9')),
    volume: `9${ours.volume}`,
    trades: ours.trades + 2,
  };
  return { ...audit, reason, ours, theirs };
}

function fieldsOf(row: CandleRow) {
  return {
    open: row[1],
    high: row[2],
    low: row[3],
    close: row[4],
    volume: row[5],
    quoteVolume: row[6],
    trades: row[7],
    takerBuyVolume: row[8],
    takerBuyQuoteVolume: row[9],
  };
}

export function answerJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** As the server's search: those that begin with it first. */
export function stubListings(query: string): readonly StubListing[] {
  const wanted = query.toUpperCase().replaceAll(/[/\s]/g, '');
  return STUB_LISTINGS.filter(({ symbol }) => symbol.includes(wanted))
    .toSorted((a, b) => a.symbol.indexOf(wanted) - b.symbol.indexOf(wanted))
    .slice(0, 50);
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
