// What the legend says of a candle: every field, digits as they came. Pure.
import type { Interval } from '../../src/core/market/interval.ts';
import {
  type CandleRow,
  ROW_CLOSED,
  ROW_COMPLETE,
  ROW_FROM_KLINES,
} from '../../src/protocol/browser.ts';
import { candleTimeText, type ZoneOffset } from '../chart/wall-clock.ts';
import { changeText, groupThousands, shareText, trimDecimal } from './format-decimal.ts';

export const LEGEND_KEYS = [
  'open',
  'high',
  'low',
  'close',
  'change',
  'volume',
  'quoteVolume',
  'trades',
  'takerBuyVolume',
  'takerBuyQuoteVolume',
  'firstTradeId',
  'lastTradeId',
  'revision',
  'complete',
  'source',
] as const;

export type LegendKey = (typeof LEGEND_KEYS)[number];

export interface Legend {
  readonly time: string;
  readonly direction: 'up' | 'down' | 'flat';
  readonly isClosed: boolean;
  readonly isComplete: boolean;
  readonly isCorrected: boolean;
  readonly texts: Readonly<Record<LegendKey, string>>;
}

const UNKNOWN = '–';

export const NO_LEGEND: Legend = {
  time: '',
  direction: 'flat',
  isClosed: true,
  isComplete: true,
  isCorrected: false,
  texts: {
    open: UNKNOWN,
    high: UNKNOWN,
    low: UNKNOWN,
    close: UNKNOWN,
    change: UNKNOWN,
    volume: UNKNOWN,
    quoteVolume: UNKNOWN,
    trades: UNKNOWN,
    takerBuyVolume: UNKNOWN,
    takerBuyQuoteVolume: UNKNOWN,
    firstTradeId: UNKNOWN,
    lastTradeId: UNKNOWN,
    revision: UNKNOWN,
    complete: UNKNOWN,
    source: UNKNOWN,
  },
};

/** The legend of a row; `digits`: decimals of the symbol's prices. */
export function legendOf(
  row: CandleRow,
  view: { readonly interval: Interval; readonly zone: ZoneOffset; readonly digits: number },
): Legend {
  const price = (text: string) => groupThousands(trimDecimal(text, view.digits));
  const amount = (text: string) => groupThousands(trimDecimal(text, 0));
  const withShare = (part: string, whole: string) => {
    const share = shareText(part, whole);
    return share === '' ? amount(part) : `${amount(part)} (${share})`;
  };
  const change = changeText(row[1], row[4], view.digits);
  const flags = row[13];
  const isComplete = (flags & ROW_COMPLETE) !== 0;
  return {
    time: candleTimeText(row[0], view.interval, view.zone),
    direction: change === undefined || change.sign === 0 ? 'flat' : change.sign > 0 ? 'up' : 'down',
    isClosed: (flags & ROW_CLOSED) !== 0,
    isComplete,
    isCorrected: row[12] > 0,
    texts: {
      open: price(row[1]),
      high: price(row[2]),
      low: price(row[3]),
      close: price(row[4]),
      change: change === undefined ? UNKNOWN : `${change.difference} (${change.percent})`,
      volume: amount(row[5]),
      quoteVolume: amount(row[6]),
      trades: groupThousands(String(row[7])),
      takerBuyVolume: withShare(row[8], row[5]),
      takerBuyQuoteVolume: withShare(row[9], row[6]),
      firstTradeId: idText(row[10]),
      lastTradeId: idText(row[11]),
      revision: row[12] === 0 ? '0' : `${row[12]}, corrected`,
      complete: isComplete ? 'yes' : 'no, trades missing',
      source: (flags & ROW_FROM_KLINES) === 0 ? 'trades' : 'klines',
    },
  };
}

/** Ids are names, not amounts: not grouped. −1: no trade in the window; null: not known. */
function idText(id: number | null): string {
  if (id === null) return 'unknown';
  return id < 0 ? 'none' : String(id);
}

/** Quote assets by which a symbol is split for reading; longest first. A symbol of another form is shown whole. */
const QUOTES =
  'FDUSD USDT USDC TUSD BUSD BTC ETH BNB EUR TRY BRL JPY DAI USD GBP AUD PLN RON ARS ZAR MXN CZK'.split(
    ' ',
  );

/** `BTCUSDT` → BTC and USDT, for the eye alone: nothing is decided by it. */
export function splitSymbol(symbol: string): { readonly base: string; readonly quote: string } {
  const quote = QUOTES.find((end) => symbol.endsWith(end) && symbol.length > end.length) ?? '';
  return { base: symbol.slice(0, symbol.length - quote.length), quote };
}
