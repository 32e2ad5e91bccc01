// Candles as rows of CSV, every field exact, each row with its market: what `export` writes and `import` reads back.
import type { Candle } from '../core/market/candle.ts';
import { formatDecimal } from '../core/market/decimal.ts';
import { closeTimeOf, type Interval, isInterval } from '../core/market/interval.ts';
import { EPOCH_MS_MAX, type EpochMs } from '../core/market/time.ts';
import { candleField } from './candle-record.ts';

export const CANDLE_CSV_COLUMNS = [
  'market',
  'symbol',
  'interval',
  'open_time',
  'open',
  'high',
  'low',
  'close',
  'volume',
  'quote_volume',
  'trades',
  'taker_buy_volume',
  'taker_buy_quote_volume',
  'first_trade_id',
  'last_trade_id',
  'revision',
  'complete',
  'source',
  'reason',
] as const;

export const CANDLE_CSV_HEADING = CANDLE_CSV_COLUMNS.join(',');

/** `market`: `sourceId` of the market; times in ms since 1970; what is unknown is empty. */
export function encodeCandleCsv(market: string, candle: Candle): string {
  return [
    encodeText(market),
    candle.symbol,
    candle.interval,
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
    candle.firstTradeId ?? '',
    candle.lastTradeId ?? '',
    candle.revision,
    candle.complete,
    candle.source,
    candle.reason ?? '',
  ].join(',');
}

export function isOfMarket(line: string, market: string): boolean {
  return line.startsWith(`${encodeText(market)},`);
}

/** A row of `market`; undefined where it is none. */
export function decodeCandleCsv(line: string, market: string): Candle | undefined {
  if (!isOfMarket(line, market)) return undefined;
  const fields = line.slice(encodeText(market).length + 1).split(',');
  if (fields.length !== CANDLE_CSV_COLUMNS.length - 1) return undefined;
  const [symbol, interval, time, open, high, low, close, volume, quoteVolume, ...rest] = fields;
  const [trades, takerBuyVolume, takerBuyQuoteVolume, first, last, revision, ...words] = rest;
  const [complete, source, reason] = words;
  const openTime = Number(time);
  const isRow = isInterval(interval ?? '') && openTime >= 0 && openTime <= EPOCH_MS_MAX;
  if (!isRow) return undefined;
  const parsed = candleField.safeParse({
    ...{ symbol, interval, openTime, open, high, low, close, volume, quoteVolume },
    closeTime: closeTimeOf(interval as Interval, openTime as EpochMs),
    ...{ trades: Number(trades), takerBuyVolume, takerBuyQuoteVolume, source },
    firstTradeId: first === '' ? undefined : Number(first),
    lastTradeId: last === '' ? undefined : Number(last),
    revision: Number(revision),
    complete: complete === 'true' ? true : complete === 'false' ? false : complete,
    reason: reason === '' ? undefined : reason,
  });
  return parsed.data;
}

/** @see RFC 4180 */
function encodeText(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
