// Asks REST which closed minutes exist where no closed kline came by the stream, and believes it that one does not only when asked again.
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { addMs, type DurationMs, type EpochMs, MINUTE_MS } from '../../core/market/time.ts';
import { KLINE_LAG_MS_MAX } from './kline-rows.ts';
import type { MinuteGate } from './minute-gate.ts';
import type { Rest } from './rest.ts';

/** Between two questions that brought nothing. */
export const EVIDENCE_RETRY_MS: DurationMs = 1_000;
/** So many answers without a minute, but with a later one: the exchange leaves it out. */
export const ABSENT_ANSWERS = 2;
/** So many answers without a minute and without a later one, though later trades came: REST may lag so far. */
export const ABSENT_ANSWERS_UNSURE = KLINE_LAG_MS_MAX / EVIDENCE_RETRY_MS + 1;

export interface MinuteEvidence {
  /** One question, for the gate's open minute and those after it. True where the gate moved on. */
  ask(gate: MinuteGate): Promise<boolean>;
}

export function createMinuteEvidence(
  symbol: MarketSymbol,
  rest: Rest,
  signal: AbortSignal,
): MinuteEvidence {
  let suspect: EpochMs | undefined;
  let answers = 0;

  /** Counts the answers without the minute at `from`; true where they are enough. */
  function isAbsent(from: EpochMs, lastOpenTime: EpochMs | undefined): boolean {
    answers = suspect === from ? answers + 1 : 1;
    suspect = from;
    const isPast = lastOpenTime !== undefined && lastOpenTime > from;
    return answers >= (isPast ? ABSENT_ANSWERS : ABSENT_ANSWERS_UNSURE);
  }

  return {
    async ask(gate) {
      const from = gate.openMinute();
      const asking = { priority: 'urgent', signal } as const;
      const klines = await rest.klines(symbol, '1m', { startTime: from }, asking);
      for (const { openTime, trades } of klines.closed) {
        gate.closed({ openTime, trades, lastTradeId: undefined });
      }
      if (gate.openMinute() !== from) return true;
      const lack = gate.lack();
      if (lack?.type !== 'evidence' || !isAbsent(from, klines.lastOpenTime)) return false;
      // Those that do exist are evidence already, which the gate does not give up.
      for (let at = from; at < lack.to; at = addMs(at, MINUTE_MS)) gate.absent(at);
      return true;
    },
  };
}
