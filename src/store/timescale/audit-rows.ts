// Verdicts on closed minutes, and the symbols the user wants, in PostgreSQL: one row a minute, the newest verdict.
import { type Audit, type AuditCounts, VERDICTS, type Verdict } from '../../core/audit/audit.ts';
import type { SymbolWish } from '../../core/market/listing.ts';
import { EPOCH_MS_MAX } from '../../core/market/time.ts';
import { decodeAudit, encodeAudit } from '../../protocol/audit-record.ts';
import { decodeSymbolWish, encodeSymbolWish } from '../../protocol/listing-record.ts';
import type { AuditQuery } from '../candle-store.ts';
import { type Client, rowsOf } from './connection.ts';

type Range = Pick<AuditQuery, 'symbol' | 'from' | 'to'>;

const IN_RANGE = 'symbol = $1 AND open_time >= $2 AND open_time <= $3';

/** A verdict is replaced by a later one, never by one that comes again after a crash. */
const UPSERT = `
  INSERT INTO audits (symbol, open_time, verdict, at, record)
  SELECT DISTINCT ON (symbol, open_time) symbol, open_time, verdict, at, record
  FROM json_to_recordset($1::text::json)
    AS given(symbol text, open_time bigint, verdict text, at bigint, record text, position integer)
  ORDER BY symbol, open_time, at DESC, position DESC
  ON CONFLICT (symbol, open_time) DO UPDATE SET
    verdict = excluded.verdict, at = excluded.at, record = excluded.record
  WHERE excluded.at >= audits.at`;

export async function writeAudits(client: Client, audits: readonly Audit[]): Promise<void> {
  const rows = audits.map((audit, position) => ({
    symbol: audit.symbol,
    open_time: audit.openTime,
    verdict: audit.verdict,
    at: audit.at,
    record: encodeAudit(audit),
    position,
  }));
  await rowsOf(client, UPSERT, [JSON.stringify(rows)]);
}

export async function readAudits(client: Client, query: AuditQuery): Promise<readonly Audit[]> {
  const { limit, take } = query;
  const rows = await rowsOf(
    client,
    `SELECT record FROM audits WHERE ${IN_RANGE} ORDER BY open_time ${take === 'first' ? 'ASC' : 'DESC'} LIMIT $4`,
    [...bounds(query), Math.max(0, limit)],
  );
  const found = rows.map(([record]) => decodeAudit(String(record)));
  return take === 'first' ? found : found.reverse();
}

export async function countAudits(client: Client, range: Range): Promise<AuditCounts> {
  const rows = await rowsOf(
    client,
    `SELECT verdict, count(*) FROM audits WHERE ${IN_RANGE} GROUP BY verdict`,
    bounds(range),
  );
  const found = new Map(rows.map(([verdict, count]) => [String(verdict), Number(count)]));
  const entries = VERDICTS.map((verdict) => [verdict, found.get(verdict) ?? 0] as const);
  return Object.fromEntries(entries) as Record<Verdict, number>;
}

export async function writeSymbolWish(client: Client, wish: SymbolWish): Promise<void> {
  await rowsOf(
    client,
    `INSERT INTO symbol_wishes (symbol, record) VALUES ($1, $2)
     ON CONFLICT (symbol) DO UPDATE SET record = excluded.record`,
    [wish.symbol, encodeSymbolWish(wish)],
  );
}

export async function symbolWishes(client: Client): Promise<readonly SymbolWish[]> {
  const rows = await rowsOf(client, 'SELECT record FROM symbol_wishes ORDER BY symbol COLLATE "C"');
  return rows.map(([record]) => decodeSymbolWish(String(record)));
}

function bounds({ symbol, from, to }: Range): [string, number, number] {
  return [symbol, from ?? 0, to ?? EPOCH_MS_MAX];
}
