// The JSON of `aggregate_state`: what an aggregation is between two records, for whoever takes it over. Read by aggregate alone.
import { z } from 'zod';
import type { AggregationState, RolledState } from '../core/aggregation/aggregation-state.ts';
import type { Candle } from '../core/market/candle.ts';
import { formatDecimal } from '../core/market/decimal.ts';
import { INTERVALS } from '../core/market/interval.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import {
  candleField,
  candleJson,
  decimalField,
  parseJson,
  symbolField,
  timeField,
} from './candle-record.ts';

/** Two records a symbol: what changes with every trade stays small. */
export type AggregationStateRecord =
  | { readonly type: 'open'; readonly symbol: MarketSymbol; readonly state: AggregationState }
  | { readonly type: 'rolled'; readonly symbol: MarketSymbol; readonly rolled: RolledState };

export function stateKey({
  type,
  symbol,
}: Pick<AggregationStateRecord, 'type' | 'symbol'>): string {
  return type === 'open' ? symbol : `${symbol}:rolled`;
}

const windowSchema = z
  .object({ openTime: z.number().int(), incomplete: z.boolean(), candle: candleField.optional() })
  .transform(({ candle, ...rest }) => ({ ...rest, candle }));

const countersSchema = z
  .object({
    lastAggTradeId: z.number().int(),
    idMayJump: z.boolean(),
    inHole: z.boolean(),
    previousIsSure: z.boolean(),
    previousClose: decimalField.optional(),
    minutesFrom: timeField.optional(),
    daysFrom: timeField.optional(),
    eventTime: timeField.optional(),
  })
  .transform(({ previousClose, minutesFrom, daysFrom, eventTime, ...rest }) => ({
    ...rest,
    previousClose,
    minutesFrom,
    daysFrom,
    eventTime,
  }));

const recordSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('open'),
    symbol: symbolField,
    state: z.object({
      second: windowSchema,
      minute: windowSchema,
      calendar: z.object({ threeDayAnchor: timeField }),
      counters: countersSchema,
    }),
  }),
  z.object({
    type: z.literal('rolled'),
    symbol: symbolField,
    rolled: z.object({
      rollUps: z.array(z.object({ interval: z.enum(INTERVALS), merged: candleField })),
      revisions: z.array(z.tuple([z.string(), z.number().int().min(1)])),
    }),
  }),
]);

export function encodeAggregationState(record: AggregationStateRecord): string {
  if (record.type === 'rolled') {
    const { rollUps, revisions } = record.rolled;
    const merged = rollUps.map((each) => ({ ...each, merged: candleJson(each.merged) }));
    return JSON.stringify({ ...record, rolled: { rollUps: merged, revisions } });
  }
  const { second, minute, calendar, counters } = record.state;
  const { previousClose, ...others } = counters;
  const price = previousClose === undefined ? {} : { previousClose: formatDecimal(previousClose) };
  return JSON.stringify({
    type: record.type,
    symbol: record.symbol,
    state: {
      second: { ...second, candle: optionalJson(second.candle) },
      minute: { ...minute, candle: optionalJson(minute.candle) },
      calendar,
      counters: { ...others, ...price },
    },
  });
}

function optionalJson(candle: Candle | undefined): object | undefined {
  return candle === undefined ? undefined : candleJson(candle);
}

/** @throws DecodeError */
export function decodeAggregationState(text: string): AggregationStateRecord {
  return parseJson(recordSchema, text, 'a state of an aggregation');
}
