// The topics: their names, keys and the one encoding of each. What crosses a process is parsed here and trusted after.
import type { Audit } from '../core/audit/audit.ts';
import type { Candle, LiveCandle } from '../core/market/candle.ts';
import type { Evidence, RepairRequest } from '../core/market/evidence.ts';
import type { FeedStatus } from '../core/market/feed-status.ts';
import { INTERVALS, type Interval } from '../core/market/interval.ts';
import type { Listing, SymbolWish } from '../core/market/listing.ts';
import type { RawTick } from '../core/market/raw-tick.ts';
import type { Source } from '../core/market/source.ts';
import {
  type AggregationStateRecord,
  decodeAggregationState,
  encodeAggregationState,
} from './aggregation-state-record.ts';
import { decodeAudit, encodeAudit } from './audit-record.ts';
import {
  decodeCandle,
  decodeLiveCandle,
  encodeCandle,
  encodeLiveCandle,
  parseJson,
} from './candle-record.ts';
import {
  decodeEvidence,
  decodeRepairRequest,
  encodeEvidence,
  encodeRepairRequest,
} from './evidence-record.ts';
import { decodeFeedStatus, encodeFeedStatus, sourceSchema } from './feed-status-record.ts';
import {
  decodeListing,
  decodeSymbolWish,
  encodeListing,
  encodeSymbolWish,
} from './listing-record.ts';
import { decodeRawTick, encodeRawTick, tradeTickDecoder } from './raw-tick-record.ts';
import { decodeRejected, encodeRejected, type RejectedTick } from './rejected-record.ts';

/** A topic and its codec: `decode(encode(x))` equals `x`. In process, values pass by reference and are not encoded. */
export interface Topic<T> {
  readonly name: string;
  /** `delete`: every record, in order. `compact`: each key's newest record is what counts. */
  readonly cleanup: 'delete' | 'compact';
  /** JSON text, one record a message. */
  encode(value: T): string;
  /** @throws DecodeError where `text` is not such a record. */
  decode(text: string): T;
  /** The same from the text's bytes, where that is quicker; undefined: not this one, `decode` it. The value keeps none of `bytes`. */
  decodeBytes?(bytes: Uint8Array, start: number, end: number): T | undefined;
}

/** Key = symbol. */
export const RAW_TICKS: Topic<RawTick> = {
  name: 'raw_ticks',
  cleanup: 'delete',
  encode: encodeRawTick,
  decode: decodeRawTick,
  decodeBytes: tradeTickDecoder(),
};

/** Key = symbol where known, else empty. */
export const RAW_TICKS_DLQ: Topic<RejectedTick> = {
  name: 'raw_ticks.dlq',
  cleanup: 'delete',
  encode: encodeRejected,
  decode: decodeRejected,
};

/** Closed candles and corrections; key = symbol. */
export const OHLCV: Readonly<Record<Interval, Topic<Candle>>> = Object.fromEntries(
  INTERVALS.map((interval) => [
    interval,
    { name: `ohlcv_${interval}`, cleanup: 'delete', encode: encodeCandle, decode: decodeCandle },
  ]),
) as Record<Interval, Topic<Candle>>;

/** Open candles, conflated; key = `symbol:interval`. */
export const OHLCV_LIVE: Topic<LiveCandle> = {
  name: 'ohlcv_live',
  cleanup: 'compact',
  encode: encodeLiveCandle,
  decode: decodeLiveCandle,
};

/** How the feed is; key = its source's identity. */
export const FEED_STATUS: Topic<FeedStatus> = {
  name: 'feed_status',
  cleanup: 'compact',
  encode: encodeFeedStatus,
  decode: decodeFeedStatus,
};

/** What the exchange says of its closed minutes; key = symbol. */
export const EVIDENCE: Topic<Evidence> = {
  name: 'evidence',
  cleanup: 'delete',
  encode: encodeEvidence,
  decode: decodeEvidence,
};

/** What the audit asks of ingest; key = symbol. */
export const REPAIRS: Topic<RepairRequest> = {
  name: 'repairs',
  cleanup: 'delete',
  encode: encodeRepairRequest,
  decode: decodeRepairRequest,
};

/** Verdicts on closed minutes; key = symbol. */
export const AUDITS: Topic<Audit> = {
  name: 'audits',
  cleanup: 'delete',
  encode: encodeAudit,
  decode: decodeAudit,
};

/** What the exchange lists; key = symbol. */
export const LISTINGS: Topic<Listing> = {
  name: 'listings',
  cleanup: 'compact',
  encode: encodeListing,
  decode: decodeListing,
};

/** Which symbols the user wants; key = symbol. */
export const SYMBOLS: Topic<SymbolWish> = {
  name: 'symbols',
  cleanup: 'compact',
  encode: encodeSymbolWish,
  decode: decodeSymbolWish,
};

/** What each symbol's aggregation goes on from in another process; key = `stateKey`. Written with the candles, in the same transaction. */
export const AGGREGATE_STATE: Topic<AggregationStateRecord> = {
  name: 'aggregate_state',
  cleanup: 'compact',
  encode: encodeAggregationState,
  decode: decodeAggregationState,
};

/** Whose market all the other topics hold (I10); key = its identity, the oldest record counts. One partition. */
export const SOURCE: Topic<Source> = {
  name: 'source',
  cleanup: 'compact',
  encode: (source) => JSON.stringify(source),
  decode: (text) => parseJson(sourceSchema, text, 'a source'),
};

/** All that Kafka has to have, but for `source`: one partition count for all. */
export const TOPICS: readonly Pick<Topic<unknown>, 'name' | 'cleanup'>[] = [
  ...[RAW_TICKS, RAW_TICKS_DLQ, ...Object.values(OHLCV), OHLCV_LIVE, AGGREGATE_STATE],
  ...[FEED_STATUS, EVIDENCE, REPAIRS, AUDITS, LISTINGS, SYMBOLS],
];

export function liveKey(candle: { readonly symbol: string; readonly interval: Interval }): string {
  return `${candle.symbol}:${candle.interval}`;
}
