// Candles as a Parquet file: decimals as DECIMAL(38, 8), never a float; times as timestamps; the market in its own column.
import { fileWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import type { Candle } from '../../core/market/candle.ts';
import { DECIMAL_PLACES, formatDecimal } from '../../core/market/decimal.ts';
import { FileError } from './file-error.ts';

/** 16 bytes hold 38 digits: what readers take at most. */
const DECIMAL_PRECISION = 38;
const DECIMAL_BYTES = 16;
const DECIMAL_DIGITS_END = 10n ** BigInt(DECIMAL_PRECISION);

/** Rows read and unpacked together: small enough to be skipped by, large enough to pack well. */
export const ROW_GROUP_ROWS = 100_000;

interface Column {
  readonly element: Omit<SchemaElement, 'name'>;
  readonly of: (candle: Candle, market: string) => unknown;
}

const text: Column['element'] = { type: 'BYTE_ARRAY', converted_type: 'UTF8' };
const integer: Column['element'] = { type: 'INT64' };
const decimal: Column['element'] = {
  type: 'FIXED_LEN_BYTE_ARRAY',
  type_length: DECIMAL_BYTES,
  converted_type: 'DECIMAL',
  scale: DECIMAL_PLACES,
  precision: DECIMAL_PRECISION,
};

const COLUMNS: Readonly<Record<string, Column>> = {
  market: { element: text, of: (_, market) => market },
  symbol: { element: text, of: ({ symbol }) => symbol },
  interval: { element: text, of: ({ interval }) => interval },
  open_time: {
    element: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
    of: ({ openTime }) => new Date(openTime),
  },
  open: decimalColumn('open'),
  high: decimalColumn('high'),
  low: decimalColumn('low'),
  close: decimalColumn('close'),
  volume: decimalColumn('volume'),
  quote_volume: decimalColumn('quoteVolume'),
  trades: { element: integer, of: ({ trades }) => BigInt(trades) },
  taker_buy_volume: decimalColumn('takerBuyVolume'),
  taker_buy_quote_volume: decimalColumn('takerBuyQuoteVolume'),
  first_trade_id: optional(integer, ({ firstTradeId }) => idOf(firstTradeId)),
  last_trade_id: optional(integer, ({ lastTradeId }) => idOf(lastTradeId)),
  revision: { element: integer, of: ({ revision }) => BigInt(revision) },
  complete: { element: { type: 'BOOLEAN' }, of: ({ complete }) => complete },
  source: { element: text, of: ({ source }) => source },
  reason: optional(text, ({ reason }) => reason),
};

export interface CandleParquet {
  write(candles: readonly Candle[]): Promise<void>;
  /** The file is whole after it. */
  finish(): Promise<void>;
}

/** Makes the file anew. */
export function openCandleParquet(path: string, market: string): CandleParquet {
  const columns = Object.entries(COLUMNS);
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    schema: [
      { name: 'candles', num_children: columns.length },
      ...columns.map(
        ([name, { element }]): SchemaElement => ({
          repetition_type: 'REQUIRED',
          ...element,
          name,
        }),
      ),
    ],
    createdBy: 'wickstream',
  });
  let held: Candle[] = [];
  const flush = async (): Promise<void> => {
    if (held.length === 0) return;
    const columnData = columns.map(([name, { of }]) => ({
      name,
      data: held.map((candle) => of(candle, market)),
    }));
    await writer.write({ columnData, rowGroupSize: ROW_GROUP_ROWS });
    held = [];
  };
  return {
    async write(candles) {
      for (const candle of candles) held.push(candle);
      if (held.length >= ROW_GROUP_ROWS) await flush();
    },
    async finish() {
      await flush();
      await writer.finish();
    },
  };
}

type DecimalField = Extract<
  keyof Candle,
  'open' | 'high' | 'low' | 'close' | `${string}olume` | `taker${string}`
>;

function decimalColumn(field: DecimalField): Column {
  return {
    element: decimal,
    of(candle) {
      const value = candle[field];
      if (value < DECIMAL_DIGITS_END) return value;
      throw new FileError(
        `Cannot write ${field} ${formatDecimal(value)} of ${candle.symbol}: Parquet's decimals have ${DECIMAL_PRECISION} digits; export it as CSV`,
      );
    },
  };
}

function optional(element: Column['element'], of: Column['of']): Column {
  return { element: { ...element, repetition_type: 'OPTIONAL' }, of };
}

function idOf(id: number | undefined): bigint | undefined {
  return id === undefined ? undefined : BigInt(id);
}
