// One closed minute on its way to a verdict: our candle, the exchange's, and what was asked. Pure: time is an argument, and nothing is
// assumed of the order in which candles and evidence come; answers may be lost, late, or come twice.
import type { Candle } from '../market/candle.ts';
import { sameCandleValues } from '../market/candle.ts';
import { candleDifferences } from '../market/candle-differences.ts';
import { differsByRounding } from '../market/rounding.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import { addMs, type DurationMs, type EpochMs } from '../market/time.ts';
import type { Audit, Verdict } from './audit.ts';
import {
  ANSWER_WAIT_MS,
  ASK_AGAIN_MS_MAX,
  ASK_AGAIN_MS_MIN,
  CORRECTION_WAIT_MS,
  FRAME_WAIT_MS,
  KLINE_WAIT_MS_MAX,
  OURS_WAIT_MS,
  REPAIRS_MAX,
  ROUNDING_ASKED_MAX,
  SAME_AGAIN_MS,
} from './audit-limits.ts';

export const FROM_KLINES_REASON =
  "taken from the exchange's klines: equal by itself, it proves nothing";

/**
 * - waiting: for our candle or the exchange's
 * - confirming: they differ; REST is asked until it gave the same twice
 * - repairing: the trades are asked for again
 * - settling: they were sent; a correction is awaited
 * - rechecking: none came; the exchange's candle is asked for anew, until it gave the same twice
 * - rounding: the exchange's digits are asked for
 * - decided: nothing left to do
 */
export type AuditPhase =
  | 'waiting'
  | 'confirming'
  | 'repairing'
  | 'settling'
  | 'rechecking'
  | 'rounding'
  | 'decided';

export type MinuteRequest = 'klines' | 'trades' | 'rounding';

/** What the minute is told of the others of its symbol. */
export interface AuditSurroundings {
  /** Open times of our first and newest candle seen; undefined before the first. */
  readonly firstOurs: EpochMs | undefined;
  readonly newestOurs: EpochMs | undefined;
  /** Whether the pair's digits make the exchange truncate (I3). */
  readonly mayRound: boolean;
}

/** The exchange's word: a candle, or that it has none. */
interface Theirs {
  readonly candle: Candle | undefined;
}

export class MinuteAudit {
  readonly symbol: MarketSymbol;
  readonly openTime: EpochMs;
  phase: AuditPhase = 'waiting';
  /** When `due` has something to do next. */
  dueAt: EpochMs;
  ours: Candle | undefined;
  theirs: Theirs | undefined;
  private readonly surroundings: AuditSurroundings;
  private readonly tell: (audit: Audit) => void;
  /** Since when REST says what it says now; undefined: it has not spoken in this phase. */
  private sameSince: EpochMs | undefined;
  /** End of the present phase's patience. */
  private until: EpochMs;
  private tries = 0;
  private repairs = 0;
  private tradesAskedAt: EpochMs | undefined;
  private wasRepaired = false;
  private told: Audit | undefined;

  constructor(
    identity: { readonly symbol: MarketSymbol; readonly openTime: EpochMs },
    surroundings: AuditSurroundings,
    tell: (audit: Audit) => void,
    now: EpochMs,
  ) {
    this.symbol = identity.symbol;
    this.openTime = identity.openTime;
    this.surroundings = surroundings;
    this.tell = tell;
    this.dueAt = addMs(now, OURS_WAIT_MS);
    this.until = addMs(now, KLINE_WAIT_MS_MAX);
  }

  /** A revision of our candle; only a higher one than known says anything. `isOld`: no frame of it will come. */
  candle(candle: Candle, now: EpochMs, isOld = false): void {
    if (this.ours !== undefined && candle.revision <= this.ours.revision) return;
    const isFirst = this.ours === undefined;
    this.ours = candle;
    const { reason } = candle;
    this.wasRepaired ||= reason === 'repair' || reason === 'rolled-up-correction';
    if (this.theirs === undefined && isFirst) {
      this.dueAt = isOld ? now : addMs(now, FRAME_WAIT_MS);
      this.until = addMs(now, KLINE_WAIT_MS_MAX);
    }
    // What was found out about the revision before says nothing of this one.
    if (!isFirst) this.enter('waiting', now);
    this.assess(now);
  }

  /** The exchange's candle, or (undefined) that REST has none. */
  kline(candle: Candle | undefined, via: 'stream' | 'rest', now: EpochMs): void {
    const isSame = this.theirs !== undefined && sameTheirs(this.theirs.candle, candle);
    if (via === 'rest' && (!isSame || this.sameSince === undefined)) this.sameSince = now;
    if (via === 'stream' && !isSame) this.sameSince = undefined;
    this.theirs = { candle };
    this.assess(now);
  }

  repaired(now: EpochMs): void {
    if (this.phase !== 'repairing') return;
    this.phase = 'settling';
    this.dueAt = addMs(now, CORRECTION_WAIT_MS);
  }

  /** The trades cannot be had: what is known is all there will be. An incomplete candle goes on being asked for, seldom. */
  unrepairable(reason: string, now: EpochMs): void {
    if (this.phase !== 'repairing' && this.phase !== 'settling') return;
    const why = `its trades cannot be fetched again: ${reason}`;
    if (this.isEqual()) this.say('verified', now, why);
    else this.say(this.theirs === undefined ? 'unverified' : 'differs', now, why);
    if (this.ours?.complete === false) {
      this.phase = 'repairing';
      this.tradesAskedAt = undefined;
      this.dueAt = addMs(now, ASK_AGAIN_MS_MAX);
    } else this.decided();
  }

  /** No room for it: the last word of what is known, unless a word was said. */
  giveUp(reason: string, now: EpochMs): void {
    if (this.told === undefined && this.ours !== undefined) this.say('unverified', now, reason);
    this.decided();
  }

  /** Whether an answer to a request for trades may still come, or its effect is awaited. */
  isUnderRepair(now: EpochMs): boolean {
    if (this.phase === 'settling') return true;
    const { tradesAskedAt } = this;
    if (this.phase !== 'repairing' || tradesAskedAt === undefined) return false;
    return now - tradesAskedAt < ANSWER_WAIT_MS;
  }

  /** Its trades are asked for again, and no word was said yet that they cannot be had. */
  get isRepairAwaited(): boolean {
    return (this.phase === 'repairing' || this.phase === 'settling') && this.told === undefined;
  }

  /** To be called when `dueAt` is reached: what to ask now, if anything. */
  due(now: EpochMs): MinuteRequest | undefined {
    switch (this.phase) {
      case 'waiting':
        return this.ours === undefined ? this.oursMissing(now) : this.askKlines(now);
      case 'confirming':
      case 'rechecking':
        return this.askKlines(now);
      case 'repairing':
        this.tradesAskedAt = now;
        return this.askAgain('trades', now);
      case 'settling':
        return this.noCorrection(now);
      case 'rounding':
        if (this.tries < ROUNDING_ASKED_MAX) return this.askAgain('rounding', now);
        this.decided();
        return undefined;
      case 'decided':
        return undefined;
    }
  }

  /** Compares what is known, after anything new. */
  private assess(now: EpochMs): void {
    const { ours, theirs } = this;
    if (ours === undefined || this.phase === 'decided') return;
    if (!ours.complete) {
      if (this.phase !== 'repairing' && this.phase !== 'settling') this.enter('repairing', now);
    } else if (ours.source === 'klines') {
      this.say('unverified', now, FROM_KLINES_REASON);
      this.decided();
    } else if (theirs !== undefined) {
      this.compare(ours, theirs.candle, now);
    }
  }

  private compare(ours: Candle, theirs: Candle | undefined, now: EpochMs): void {
    if (theirs !== undefined && sameCandleValues(ours, theirs)) {
      this.say(this.wasRepaired ? 'repaired' : 'verified', now);
      this.decided();
      return;
    }
    if (theirs !== undefined && this.surroundings.mayRound && differsByRounding(ours, theirs)) {
      if (this.phase === 'rounding') return;
      this.say(this.wasRepaired ? 'repaired' : 'verified', now);
      this.enter('rounding', now);
      return;
    }
    this.differing(now);
  }

  private differing(now: EpochMs): void {
    switch (this.phase) {
      case 'waiting':
      case 'rounding':
        this.hearAgain('confirming', now);
        break;
      case 'confirming':
        if (!this.isSettled(now)) this.askAgainSoon();
        else if (this.repairs === REPAIRS_MAX) {
          this.differs(now, `its trades were fetched again ${REPAIRS_MAX} times`);
        } else {
          this.repairs += 1;
          this.enter('repairing', now);
        }
        break;
      case 'rechecking':
        if (this.isSettled(now)) this.differs(now, 'its trades, fetched again, gave the same');
        else this.askAgainSoon();
        break;
      case 'repairing':
        // Asked for its trades, the exchange says that it has no such minute.
        if (this.theirs?.candle === undefined) this.hearAgain('rechecking', now);
        break;
      case 'settling':
      case 'decided':
        break;
    }
  }

  /** What REST has just said is the first of the two answers. */
  private hearAgain(phase: 'confirming' | 'rechecking', now: EpochMs): void {
    const { sameSince } = this;
    this.enter(phase, now);
    if (sameSince === undefined) return;
    this.sameSince = sameSince;
    this.dueAt = addMs(sameSince, SAME_AGAIN_MS);
  }

  private isSettled(now: EpochMs): boolean {
    return this.sameSince !== undefined && now - this.sameSince >= SAME_AGAIN_MS;
  }

  private askAgainSoon(): void {
    if (this.sameSince === undefined) return;
    const soon = addMs(this.sameSince, SAME_AGAIN_MS);
    if (this.told === undefined && soon < this.dueAt) this.dueAt = soon;
  }

  private differs(now: EpochMs, how: string): void {
    this.say('differs', now, `${how}; ${this.difference()}`);
    this.decided();
  }

  private askKlines(now: EpochMs): 'klines' {
    if (now >= this.until && this.told?.revision !== this.ours?.revision) {
      const why =
        this.theirs === undefined ? 'could not be had' : `did not settle; ${this.difference()}`;
      this.say('unverified', now, `the exchange's candle ${why}`);
    }
    this.askAgain('klines', now);
    return 'klines';
  }

  private oursMissing(now: EpochMs): MinuteRequest | undefined {
    const { firstOurs, newestOurs } = this.surroundings;
    if (firstOurs !== undefined && this.openTime < firstOurs) {
      // Of before what we began with: none of ours is missing.
      this.decided();
    } else if (newestOurs === undefined || newestOurs < this.openTime) {
      this.dueAt = addMs(now, OURS_WAIT_MS);
    } else {
      this.enter('repairing', now);
      return this.due(now);
    }
    return undefined;
  }

  /** The trades were sent again and nothing changed. */
  private noCorrection(now: EpochMs): MinuteRequest | undefined {
    if (this.ours?.complete) {
      this.enter('rechecking', now);
      return this.due(now);
    }
    const reason =
      this.ours === undefined
        ? 'the exchange has this minute, we have no candle of it, and its trades, fetched again, made none'
        : 'trades are missing in it; fetched again, they brought no correction: wickstream verify --repair may';
    const isKnown = this.theirs !== undefined;
    if (this.told === undefined) this.say(isKnown ? 'differs' : 'unverified', now, reason);
    this.phase = 'repairing';
    this.dueAt = addMs(now, backOffMs(this.tries));
    return undefined;
  }

  private askAgain<R extends MinuteRequest>(request: R, now: EpochMs): R {
    this.dueAt = addMs(now, backOffMs(this.tries));
    this.tries += 1;
    return request;
  }

  private enter(phase: AuditPhase, now: EpochMs): void {
    this.phase = phase;
    this.tries = 0;
    this.dueAt = now;
    this.until = addMs(now, KLINE_WAIT_MS_MAX);
    this.sameSince = undefined;
  }

  private decided(): void {
    this.phase = 'decided';
  }

  private isEqual(): boolean {
    const theirs = this.theirs?.candle;
    return theirs !== undefined && this.ours !== undefined && sameCandleValues(this.ours, theirs);
  }

  private difference(): string {
    const theirs = this.theirs?.candle;
    if (theirs === undefined) return 'the exchange has no candle of this minute';
    if (this.ours === undefined) return 'we have no candle of this minute';
    return candleDifferences(this.ours, theirs)
      .map(({ field, ours, theirs: their }) => `${field} ${ours} against ${their}`)
      .join(', ');
  }

  private say(verdict: Verdict, now: EpochMs, reason?: string): void {
    const { symbol, openTime, ours } = this;
    const theirs = this.theirs?.candle;
    const isRounded = ours?.reason === 'rounding';
    const isEqual = this.isEqual();
    const isShown = !isEqual && ours?.source !== 'klines';
    const passes = verdict === 'verified' || verdict === 'repaired';
    this.told = {
      symbol,
      openTime,
      verdict,
      revision: ours?.revision ?? 0,
      rounding: passes && (isRounded || !isEqual),
      ...(reason === undefined ? {} : { reason }),
      ...(isShown && ours !== undefined ? { ours } : {}),
      ...(isShown && theirs !== undefined ? { theirs } : {}),
      at: now,
    };
    this.tell(this.told);
  }
}

function sameTheirs(a: Candle | undefined, b: Candle | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return sameCandleValues(a, b);
}

function backOffMs(tries: number): DurationMs {
  return Math.min(ASK_AGAIN_MS_MIN * 2 ** Math.min(tries, 16), ASK_AGAIN_MS_MAX);
}
