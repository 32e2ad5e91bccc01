// The door for what the server sends: JSON to a typed message, or undefined. Checks every field the page uses.
import { isInterval } from '../../src/core/market/interval.ts';
import type {
  AuditDay,
  CandlePage,
  CandleRow,
  ServerMessage,
  StatusView,
} from '../../src/protocol/browser.ts';

const STATES: ReadonlySet<unknown> = new Set<StatusView['state']>([
  'connecting',
  'catching-up',
  'live',
  'repairing',
  'stale',
  'offline',
  'no-feed',
]);

const ROW_FIELDS: readonly ('number' | 'text' | 'id')[] = [
  'number',
  ...Array<'text'>(6).fill('text'),
  'number',
  'text',
  'text',
  'id',
  'id',
  'number',
  'number',
];

/** A server's frame as a message; undefined where it is none the page knows. */
export function parseMessage(text: unknown): ServerMessage | undefined {
  const value = typeof text === 'string' ? parseJson(text) : undefined;
  return isRecord(value) && isMessage(value) ? value : undefined;
}

/** A page of candles (`GET /api/v1/candles`); undefined where it is none. */
export function parseCandlePage(value: unknown): CandlePage | undefined {
  return isRecord(value) && isPage(value) ? value : undefined;
}

export type Json = Readonly<Record<string, unknown>>;

function isMessage(value: Json): value is Json & ServerMessage {
  switch (value['type']) {
    case 'hello':
      return isTexts(value['symbols']) && isTexts(value['intervals']) && isStatus(value['status']);
    case 'snapshot':
      return isView(value) && isPage(value);
    case 'update':
      return isView(value) && isRows(value['candles']);
    case 'status':
      return isStatus(value['status']);
    case 'pong':
      return isNumber(value['sentAt']) && isNumber(value['serverTime']);
    case 'audit':
      return typeof value['symbol'] === 'string' && isAuditDay(value['audit']);
    case 'symbols':
      return isTexts(value['symbols']);
    case 'error':
      return typeof value['message'] === 'string';
    default:
      return false;
  }
}

function isView(value: Json): boolean {
  return (
    typeof value['symbol'] === 'string' &&
    typeof value['interval'] === 'string' &&
    isInterval(value['interval'])
  );
}

function isPage(value: Json): value is Json & CandlePage {
  return isRows(value['candles']) && typeof value['more'] === 'boolean';
}

function isStatus(value: unknown): value is StatusView {
  return (
    isRecord(value) &&
    STATES.has(value['state']) &&
    isNumber(value['since']) &&
    isRecord(value['source']) &&
    typeof value['source']['label'] === 'string' &&
    isRecord(value['symbols']) &&
    isNumber(value['exchangeTime']) &&
    isNumber(value['serverTime'])
  );
}

const AUDIT_COUNTS = [
  'day',
  'closed',
  'verified',
  'repaired',
  'differs',
  'unverified',
  'fromKlines',
] as const;

export function isAuditDay(value: unknown): value is AuditDay {
  return isRecord(value) && AUDIT_COUNTS.every((count) => isNumber(value[count]));
}

function isRows(value: unknown): value is readonly CandleRow[] {
  return Array.isArray(value) && value.every(isRow);
}

function isRow(row: unknown): row is CandleRow {
  return (
    Array.isArray(row) &&
    row.length >= ROW_FIELDS.length &&
    ROW_FIELDS.every((kind, at) => {
      const field: unknown = row[at];
      if (kind === 'text') return typeof field === 'string';
      return isNumber(field) || (kind === 'id' && field === null);
    })
  );
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not JSON: the caller treats it as no message
  }
}
