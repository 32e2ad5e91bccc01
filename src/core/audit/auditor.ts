// All minutes on their way to a verdict, of all symbols: hands each what concerns it, groups what is asked, and keeps within named limits.
// Pure: time is an argument. Order between candles and evidence is never assumed.
import type { Candle } from '../market/candle.ts';
import { type Evidence, KLINES_ASKED_MAX, type RepairRequest } from '../market/evidence.ts';
import { type DigitsSeen, mayRound, NO_DIGITS, widenDigits } from '../market/rounding.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import { addMs, type EpochMs, MINUTE_MS } from '../market/time.ts';
import type { Audit } from './audit.ts';
import {
  DECIDED_KEPT,
  OPEN_MINUTES_MAX,
  REPAIRS_UNDER_WAY_MAX,
  TURN_WAIT_MS,
} from './audit-limits.ts';
import { type AuditSurroundings, MinuteAudit } from './minute-audit.ts';

export interface AuditDecisions {
  readonly audits: readonly Audit[];
  readonly requests: readonly RepairRequest[];
}

export interface AuditLoad {
  /** Minutes without a last word. */
  readonly open: number;
  /** Of these, those whose trades are or will be asked for again. */
  readonly repairs: number;
}

class SymbolMinutes implements AuditSurroundings {
  firstOurs: EpochMs | undefined;
  newestOurs: EpochMs | undefined;
  private digits: DigitsSeen = NO_DIGITS;
  /** Revision decided on, by open time; oldest decision first. */
  private readonly decided = new Map<EpochMs, number>();

  get mayRound(): boolean {
    return mayRound(this.digits);
  }

  saw(candle: Candle): void {
    const { openTime } = candle;
    this.digits = widenDigits(this.digits, candle);
    if (this.firstOurs === undefined || openTime < this.firstOurs) this.firstOurs = openTime;
    if (this.newestOurs === undefined || openTime > this.newestOurs) this.newestOurs = openTime;
  }

  isDecided(openTime: EpochMs, revision: number): boolean {
    return (this.decided.get(openTime) ?? -1) >= revision;
  }

  decide(openTime: EpochMs, revision: number): void {
    this.decided.delete(openTime);
    this.decided.set(openTime, revision);
    for (const oldest of this.decided.keys()) {
      if (this.decided.size <= DECIDED_KEPT) break;
      this.decided.delete(oldest);
    }
  }

  /** A frame so old may be of a minute whose verdict is forgotten. */
  isForgotten(openTime: EpochMs): boolean {
    return this.newestOurs !== undefined && openTime < this.newestOurs - DECIDED_KEPT * MINUTE_MS;
  }
}

export class Auditor {
  private readonly symbols = new Map<MarketSymbol, SymbolMinutes>();
  /** By symbol and open time, the one that waits longest first. */
  private readonly open = new Map<string, MinuteAudit>();
  private earliest = Number.POSITIVE_INFINITY;
  private audits: Audit[] = [];

  /** One of our closed 1m candles, any revision. `isOld`: closed some time ago, so that no frame of it will come. */
  candle(candle: Candle, now: EpochMs, isOld = false): void {
    const { symbol, openTime, revision } = candle;
    const minutes = this.of(symbol);
    const isLate = minutes.newestOurs !== undefined && openTime <= minutes.newestOurs;
    minutes.saw(candle);
    if (minutes.isDecided(openTime, revision)) return;
    const minute = this.minute(symbol, openTime, now);
    minute.candle(candle, now, isOld || isLate);
    this.after(minute);
  }

  evidence(evidence: Evidence, now: EpochMs): void {
    const minute = this.concerned(evidence, now);
    if (minute === undefined) return;
    switch (evidence.type) {
      case 'kline':
        minute.kline(evidence.candle, evidence.via, now);
        break;
      case 'absent':
        minute.kline(undefined, 'rest', now);
        break;
      case 'repaired':
        minute.repaired(now);
        break;
      case 'unrepairable':
        minute.unrepairable(evidence.reason, now);
        break;
    }
    this.after(minute);
  }

  /** What is due at `now`, and what was decided since the last call. */
  decide(now: EpochMs): AuditDecisions {
    const requests = now < this.earliest ? [] : this.due(now);
    const { audits } = this;
    this.audits = [];
    return { audits, requests };
  }

  /** When `decide` has something to do, unless something comes before; infinite where nothing is open. */
  dueAt(): number {
    return this.earliest;
  }

  load(): AuditLoad {
    let repairs = 0;
    for (const { phase } of this.open.values()) {
      if (phase === 'repairing' || phase === 'settling') repairs++;
    }
    return { open: this.open.size, repairs };
  }

  private due(now: EpochMs): RepairRequest[] {
    const requests: RepairRequest[] = [];
    const klines = new Map<MarketSymbol, EpochMs[]>();
    for (const minute of this.whoseTurnItIs(now)) {
      const { symbol, openTime } = minute;
      const request = minute.due(now);
      if (request === 'klines') klines.set(symbol, [...(klines.get(symbol) ?? []), openTime]);
      if (request === 'trades') requests.push({ type: 'trades', symbol, openTime });
      if (request === 'rounding') requests.push(roundingRequest(minute));
      if (minute.phase === 'decided') this.close(minute);
    }
    this.earliest = Number.POSITIVE_INFINITY;
    for (const { dueAt } of this.open.values()) this.earliest = Math.min(this.earliest, dueAt);
    for (const [symbol, openTimes] of klines) requests.push(...klineRequests(symbol, openTimes));
    return requests;
  }

  /**
   * Those that are due; of repairs no more than may be under way at once, and no minute's before that of the minute before, at whose
   * close it may begin: the others are due a little later.
   */
  private whoseTurnItIs(now: EpochMs): readonly MinuteAudit[] {
    const all = [...this.open.values()];
    let underWay = all.filter((minute) => minute.isUnderRepair(now)).length;
    return all.filter((minute) => {
      if (minute.dueAt > now) return false;
      if (minute.phase !== 'repairing' || minute.isUnderRepair(now)) return true;
      if (underWay < REPAIRS_UNDER_WAY_MAX && !this.isBeforeUnrepaired(minute)) {
        underWay++;
        return true;
      }
      minute.dueAt = addMs(now, TURN_WAIT_MS);
      return false;
    });
  }

  private isBeforeUnrepaired({ symbol, openTime }: MinuteAudit): boolean {
    return this.open.get(keyOf(symbol, addMs(openTime, -MINUTE_MS)))?.isRepairAwaited ?? false;
  }

  /** The minute that `evidence` speaks of, where it is of any use. */
  private concerned(evidence: Evidence, now: EpochMs): MinuteAudit | undefined {
    const { symbol, openTime } = evidence.type === 'kline' ? evidence.candle : evidence;
    const known = this.open.get(keyOf(symbol, openTime));
    // An answer without a question is an answer that came twice, or to a neighbour's question.
    const isFrame = evidence.type === 'kline' && evidence.via === 'stream';
    if (known !== undefined || !isFrame) return known;
    const minutes = this.of(symbol);
    if (minutes.isDecided(openTime, 0) || minutes.isForgotten(openTime)) return undefined;
    return this.minute(symbol, openTime, now);
  }

  private minute(symbol: MarketSymbol, openTime: EpochMs, now: EpochMs): MinuteAudit {
    const key = keyOf(symbol, openTime);
    const known = this.open.get(key);
    if (known !== undefined) return known;
    if (this.open.size >= OPEN_MINUTES_MAX) this.giveUpOldest(now);
    const tell = (audit: Audit) => this.audits.push(audit);
    const minute = new MinuteAudit({ symbol, openTime }, this.of(symbol), tell, now);
    this.open.set(key, minute);
    return minute;
  }

  private giveUpOldest(now: EpochMs): void {
    for (const minute of this.open.values()) {
      minute.giveUp(`more than ${OPEN_MINUTES_MAX} minutes waited for the exchange`, now);
      this.close(minute);
      return;
    }
  }

  private after(minute: MinuteAudit): void {
    if (minute.phase === 'decided') this.close(minute);
    else this.earliest = Math.min(this.earliest, minute.dueAt);
  }

  private close({ symbol, openTime, ours }: MinuteAudit): void {
    this.open.delete(keyOf(symbol, openTime));
    if (ours !== undefined) this.of(symbol).decide(openTime, ours.revision);
  }

  private of(symbol: MarketSymbol): SymbolMinutes {
    const known = this.symbols.get(symbol);
    if (known !== undefined) return known;
    const minutes = new SymbolMinutes();
    this.symbols.set(symbol, minutes);
    return minutes;
  }
}

function roundingRequest({ ours, theirs }: MinuteAudit): RepairRequest {
  const candle = theirs?.candle;
  if (ours === undefined || candle === undefined) throw new Error('Expected both candles');
  const { firstTradeId, lastTradeId } = ours;
  return { type: 'rounding', candle: { ...candle, firstTradeId, lastTradeId, reason: 'rounding' } };
}

/** Minutes within one page of REST are one request: it costs the same. */
function klineRequests(symbol: MarketSymbol, openTimes: readonly EpochMs[]): RepairRequest[] {
  const requests: { type: 'klines'; symbol: MarketSymbol; from: EpochMs; to: EpochMs }[] = [];
  for (const from of openTimes.toSorted((a, b) => a - b)) {
    const to = addMs(from, MINUTE_MS);
    const last = requests.at(-1);
    if (last !== undefined && to - last.from <= KLINES_ASKED_MAX * MINUTE_MS) last.to = to;
    else requests.push({ type: 'klines', symbol, from, to });
  }
  return requests;
}

function keyOf(symbol: MarketSymbol, openTime: EpochMs): string {
  return `${symbol}:${openTime}`;
}
