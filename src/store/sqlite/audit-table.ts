// Verdicts on closed minutes, and the symbols the user wants, in SQLite: one row a minute, the newest verdict.
import type { DatabaseSync } from 'node:sqlite';
import { type Audit, type AuditCounts, VERDICTS, type Verdict } from '../../core/audit/audit.ts';
import type { SymbolWish } from '../../core/market/listing.ts';
import { decodeAudit, encodeAudit } from '../../protocol/audit-record.ts';
import { decodeSymbolWish, encodeSymbolWish } from '../../protocol/listing-record.ts';
import type { AuditQuery } from '../candle-store.ts';

export interface AuditTable {
  write(audits: readonly Audit[]): void;
  read(query: AuditQuery): readonly Audit[];
  count(query: Pick<AuditQuery, 'symbol' | 'from' | 'to'>): AuditCounts;
  writeWish(wish: SymbolWish): void;
  wishes(): readonly SymbolWish[];
}

/** A verdict is replaced by a later one, never by one that comes again after a crash. */
const UPSERT = `
  INSERT INTO audits (symbol, open_time, verdict, at, record) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (symbol, open_time) DO UPDATE SET
    verdict = excluded.verdict, at = excluded.at, record = excluded.record
  WHERE excluded.at >= audits.at`;
const IN_RANGE = 'symbol = ? AND open_time BETWEEN ? AND ?';

export function auditTable(database: DatabaseSync): AuditTable {
  const select = (direction: 'ASC' | 'DESC') =>
    database.prepare(
      `SELECT record FROM audits WHERE ${IN_RANGE} ORDER BY open_time ${direction} LIMIT ?`,
    );
  const rows = { first: select('ASC'), last: select('DESC') };
  const counts = database.prepare(
    `SELECT verdict, count(*) AS n FROM audits WHERE ${IN_RANGE} GROUP BY verdict`,
  );
  const wishes = database.prepare('SELECT record FROM symbol_wishes ORDER BY symbol');

  return {
    write(audits) {
      const statement = database.prepare(UPSERT);
      for (const audit of audits) {
        const { symbol, openTime, verdict, at } = audit;
        statement.run(symbol, openTime, verdict, at, encodeAudit(audit));
      }
    },
    read({ limit, take, ...range }) {
      const found = rows[take].all(...bounds(range), Math.max(0, limit));
      if (take === 'last') found.reverse();
      return found.map(({ record }) => decodeAudit(String(record)));
    },
    count(range) {
      const found = new Map(
        counts.all(...bounds(range)).map(({ verdict, n }) => [String(verdict), Number(n)]),
      );
      const entries = VERDICTS.map((verdict) => [verdict, found.get(verdict) ?? 0] as const);
      return Object.fromEntries(entries) as Record<Verdict, number>;
    },
    writeWish(wish) {
      const sql = 'INSERT OR REPLACE INTO symbol_wishes (symbol, record) VALUES (?, ?)';
      database.prepare(sql).run(wish.symbol, encodeSymbolWish(wish));
    },
    wishes: () => wishes.all().map(({ record }) => decodeSymbolWish(String(record))),
  };
}

type Range = Pick<AuditQuery, 'symbol' | 'from' | 'to'>;

function bounds({ symbol, from, to }: Range): [string, number, number] {
  return [symbol, from ?? 0, to ?? Number.MAX_SAFE_INTEGER];
}
