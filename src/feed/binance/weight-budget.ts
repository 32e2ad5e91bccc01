// How much request weight may still be spent. Pure but for what it remembers; times are arguments. It counts every 60 s, not every
// calendar minute, so that no clock difference to the exchange can break the limit.
import { addMs, type DurationMs, type EpochMs, MINUTE_MS } from '../../core/market/time.ts';

/** The exchange's limit until `exchangeInfo` said it: what may be spent before knowing. */
export const WEIGHT_UNTIL_KNOWN = 300;

/** Share of the limit each priority may fill: what is urgent always finds room. */
export const WEIGHT_SHARES = { urgent: 0.9, start: 0.8, repair: 0.7, history: 0.6 } as const;

export type Priority = keyof typeof WEIGHT_SHARES;

/** Added to every wait: the exchange's minute may end a little after ours. */
const MARGIN_MS: DurationMs = 1_000;

export interface WeightBudget {
  /** Learns the limit a minute. */
  setLimit(weightPerMinute: number): void;
  /** 0: may be spent now (and is); else ms until it is worth asking again. */
  take(weight: number, priority: Priority, now: EpochMs): DurationMs;
  /** What the exchange says was used in its current minute, by everybody at this address. */
  reported(used: number, now: EpochMs): void;
}

export function createWeightBudget(): WeightBudget {
  const spent: { readonly at: EpochMs; readonly weight: number }[] = [];
  let limit: number | undefined;
  let sum = 0;
  /** Weight used beside ours, by the last report. */
  let foreign = 0;
  let foreignAt = 0 as EpochMs;

  /** The machine's clock was set back: what was spent counts from now on, not from a time to come. */
  function clockBack(now: EpochMs): void {
    if ((spent.at(-1)?.at ?? 0) > now) spent.splice(0, spent.length, { at: now, weight: sum });
    if (foreignAt > now) foreignAt = now;
  }

  function forget(now: EpochMs): void {
    clockBack(now);
    for (let first = spent[0]; first !== undefined; first = spent[0]) {
      if (first.at > now - MINUTE_MS - MARGIN_MS) break;
      sum -= first.weight;
      spent.shift();
    }
    if (foreignAt <= now - MINUTE_MS - MARGIN_MS) foreign = 0;
  }

  return {
    setLimit(weightPerMinute) {
      limit = weightPerMinute;
    },
    take(weight, priority, now) {
      forget(now);
      const allowed =
        limit === undefined ? WEIGHT_UNTIL_KNOWN : Math.floor(limit * WEIGHT_SHARES[priority]);
      // With nothing spent, even a limit below one request's weight must not stop everything.
      if (sum + foreign + weight <= allowed || (sum === 0 && foreign === 0)) {
        spent.push({ at: now, weight });
        sum += weight;
        return 0;
      }
      if (limit === undefined) return 50;
      const oldest = Math.min(spent[0]?.at ?? Infinity, foreign > 0 ? foreignAt : Infinity);
      return Math.max(1, addMs(oldest as EpochMs, MINUTE_MS + MARGIN_MS) - now + 1);
    },
    reported(used, now) {
      forget(now);
      // Ours of an earlier exchange minute is in `sum` but not in `used`: the difference is a lower bound.
      foreign = Math.max(0, used - sum);
      foreignAt = now;
    },
  };
}
