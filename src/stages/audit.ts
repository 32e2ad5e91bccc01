// Stage: our closed minutes and the exchange's evidence → verdicts, and requests for what is still needed. The decision is core's; this reads,
// writes the verdicts to the store and the log, and takes up what has none. It alone asks for repairs (decision 0006).
import type { Logger } from 'pino';
import type { Audit, Verdict } from '../core/audit/audit.ts';
import { Auditor } from '../core/audit/auditor.ts';
import type { Candle } from '../core/market/candle.ts';
import type { Evidence, RepairRequest } from '../core/market/evidence.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import {
  type Clock,
  type DurationMs,
  type EpochMs,
  epochMs,
  MINUTE_MS,
} from '../core/market/time.ts';
import type { AnyLogRecord, Log, LogRecord } from '../log/log.ts';
import { AUDITS, EVIDENCE, OHLCV, REPAIRS } from '../protocol/topics.ts';
import type { CandleStore } from '../store/candle-store.ts';
import { findOpenMinutes } from './audit/open-minutes.ts';
import { untilDone } from './write-candles.ts';

/** Longest wait for a record when nothing is due. */
const IDLE_POLL_MS: DurationMs = 1_000;
/** How often a symbol's stored minutes are searched for such without a verdict; the first time when it is first heard of. */
export const SEARCH_INTERVAL_MS: DurationMs = 15 * MINUTE_MS;

/** What `/metrics` and `/api/v1/health` show of this stage. */
export interface AuditCounts extends Record<Verdict, number> {
  /** Minutes without a last word now. */
  waiting: number;
  /** Of these, those whose trades are or will be asked for again. */
  openRepairs: number;
  /** Requests written so far. */
  asked: number;
  /** 1 while the store takes no verdicts. */
  failing: number;
}

export function auditCounts(): AuditCounts {
  const none = { waiting: 0, openRepairs: 0, asked: 0, failing: 0 };
  return { ...none, verified: 0, repaired: 0, differs: 0, unverified: 0 };
}

export interface AuditOptions {
  readonly log: Log;
  readonly store: CandleStore;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>;
  readonly counts?: AuditCounts;
  readonly signal: AbortSignal;
}

/**
 * Runs until `signal` aborts, then ends quietly. Reads as group `audit`, registered before the first
 * await. Verdicts are stored before the log's position moves: what a crash loses comes again.
 */
export async function audit(options: AuditOptions): Promise<void> {
  const { log, clock, signal, counts = auditCounts() } = options;
  await using consumer = log.consumer<Candle | Evidence>({
    group: 'audit',
    topics: [OHLCV['1m'], EVIDENCE],
  });
  const auditor = new Auditor();
  const search = searcher(auditor, options);
  while (!signal.aborted) {
    const untilDue = Math.max(0, auditor.dueAt() - clock.now());
    const timeoutMs = Math.min(IDLE_POLL_MS, untilDue);
    const records = await consumer.poll({ timeoutMs, signal });
    const now = clock.now();
    for (const record of records) take(auditor, record, now);
    await search(records);
    const { audits, requests } = auditor.decide(clock.now());
    tell(audits, counts, options);
    if (!(await writeVerdicts(audits, counts, options))) return;
    const { open, repairs } = auditor.load();
    counts.waiting = open;
    counts.openRepairs = repairs;
    counts.asked += requests.length;
    if (records.length + audits.length + requests.length === 0) continue;
    await consumer.commit([...audits.map(auditRecord), ...requests.map(requestRecord)]);
  }
}

function take(
  auditor: Auditor,
  { topic, value }: LogRecord<Candle | Evidence>,
  now: EpochMs,
): void {
  if (topic.name === EVIDENCE.name) auditor.evidence(value as Evidence, now);
  else auditor.candle(value as Candle, now);
}

/** Takes up the stored minutes that have no verdict: what was open when the process ended, and what was lost on the way. */
function searcher(
  auditor: Auditor,
  { store, clock, logger, signal }: AuditOptions,
): (records: readonly LogRecord<Candle | Evidence>[]) => Promise<void> {
  const dueAt = new Map<MarketSymbol, { at: number; isFirst: boolean }>();

  async function searchIn(symbol: MarketSymbol, isFirst: boolean): Promise<void> {
    try {
      for await (const candles of findOpenMinutes({ store, symbol, isFirst })) {
        if (signal.aborted) return;
        const now = clock.now();
        for (const candle of candles) auditor.candle(candle, now, true);
      }
    } catch (error) {
      logger.warn(`${symbol}: minutes without a verdict were not looked for: ${messageOf(error)}`);
    }
  }

  return async (records) => {
    for (const { key } of records) {
      const symbol = key as MarketSymbol;
      if (!dueAt.has(symbol)) dueAt.set(symbol, { at: 0, isFirst: true });
    }
    for (const [symbol, { at, isFirst }] of dueAt) {
      if (at > clock.now() || signal.aborted) continue;
      dueAt.set(symbol, { at: clock.now() + SEARCH_INTERVAL_MS, isFirst: false });
      await searchIn(symbol, isFirst);
    }
  };
}

function tell(audits: readonly Audit[], counts: AuditCounts, { logger }: AuditOptions): void {
  for (const { symbol, openTime, verdict, reason } of audits) {
    counts[verdict] += 1;
    const minute = new Date(openTime).toISOString();
    const line = `${symbol} ${minute}: ${verdict}${reason === undefined ? '' : ` (${reason})`}`;
    if (verdict === 'differs') logger.error(line);
    else if (verdict === 'repaired') logger.info(line);
    else logger.debug(line);
  }
}

/** Tries until the store takes them; false where `signal` aborted first: they are decided again after the next start. */
async function writeVerdicts(
  audits: readonly Audit[],
  counts: AuditCounts,
  { store, clock, logger, signal }: AuditOptions,
): Promise<boolean> {
  if (audits.length === 0) return true;
  if (signal.aborted) return false;
  const onFailure = (error: unknown, retryMs: DurationMs): void => {
    counts.failing = 1;
    logger.warn(`The store took no verdicts: ${messageOf(error)}; trying again in ${retryMs} ms`);
  };
  const isTaken = await untilDone({ clock, onFailure, signal }, async () => {
    await store.writeAudits(audits);
    return true;
  });
  if (isTaken === undefined) return false;
  if (counts.failing === 1) logger.info('The store takes verdicts again');
  counts.failing = 0;
  return true;
}

function auditRecord(value: Audit): AnyLogRecord {
  return { topic: AUDITS, key: value.symbol, value, timestamp: value.openTime };
}

function requestRecord(value: RepairRequest): AnyLogRecord {
  const { symbol } = value.type === 'rounding' ? value.candle : value;
  return { topic: REPAIRS, key: symbol, value, timestamp: epochMs(timeOf(value)) };
}

function timeOf(request: RepairRequest): number {
  switch (request.type) {
    case 'klines':
      return request.from;
    case 'trades':
      return request.openTime;
    case 'rounding':
      return request.candle.openTime;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
