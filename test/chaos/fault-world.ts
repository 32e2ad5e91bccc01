// What a fault may do to a run: act at a time, change frames, change answers; and the count of what was done. Chooses no fault.
import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeExchange } from '../fake-exchange/fake-exchange.ts';
import type { Faults, FrameFault } from '../fake-exchange/faults.ts';
import type { Random } from '../fake-exchange/random.ts';
import type { Disk } from './disk.ts';
import type { Keeper } from './keeper.ts';
import type { StepClock } from './step-clock.ts';

export type RequestFault = NonNullable<Faults['onRequest']>;

export interface FaultWorld {
  readonly exchange: FakeExchange;
  readonly keeper: Keeper;
  readonly disk: Disk;
  readonly clock: StepClock;
  readonly random: Random;
  /** 1, or less where several faults act at once: how often, and how long. */
  readonly share: number;
  /** Does `act` at `share` (0 – 1) of the run's play. */
  at(share: number, act: () => Promise<void> | void): void;
  /** Some `count` times in the run, at random times, for a random time in `[msMin, msMax]` (real): `begin`, then `end`. */
  spells(count: number, ms: readonly [min: number, max: number], spell: Spell): void;
  /** From now on; what it changes is counted. */
  onFrame(fault: FrameFault): void;
  onRequest(fault: RequestFault): void;
  injected(count?: number): void;
  /** A rule of the exchange's that the product broke. */
  breach(what: string): void;
}

export interface Spell {
  begin(ms: number): Promise<void> | void;
  end?(): Promise<void> | void;
}

export interface ChaosFault {
  /** Needs a data directory on a disk of its own. */
  readonly needsDisk?: true;
  /** Connections live so long (real ms). */
  readonly lifetimeMs?: number;
  /** So much of the market (ms) passes at once, while the product is away. Such a fault acts alone. */
  readonly skipMs?: number;
  /** The product may end by itself, saying this; the supervisor starts it again. */
  readonly mayEnd?: RegExp;
  plan(world: FaultWorld): void;
}

/** Faults begin after this share of the play, and none begins after the last. */
const FIRST_SHARE = 0.12;
const LAST_SHARE = 0.9;

export interface Scheduled extends AsyncDisposable {
  readonly world: FaultWorld;
  readonly injected: number;
  readonly breaches: readonly string[];
  /** Resolves when all that was planned has happened; ends the faults on frames and answers. */
  over(): Promise<void>;
}

export function createFaultWorld(
  parts: Pick<FaultWorld, 'exchange' | 'keeper' | 'disk' | 'clock' | 'random' | 'share'> & {
    readonly playMs: number;
  },
): Scheduled {
  const { exchange, random, share, playMs } = parts;
  const startedAt = performance.now();
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  const breaches: string[] = [];
  const requests: RequestFault[] = [];
  let frames: FrameFault | undefined;
  let injected = 0;

  async function until(atShare: number): Promise<boolean> {
    const left = atShare * playMs - (performance.now() - startedAt);
    return pause(left);
  }

  /** False where the run ended meanwhile. */
  async function pause(ms: number): Promise<boolean> {
    await sleep(Math.max(0, ms), undefined, { signal: stop.signal }).catch(() => undefined);
    return !stop.signal.aborted;
  }

  const world: FaultWorld = {
    ...parts,
    at(atShare, act) {
      const done = until(atShare).then((isOn) => (isOn ? act() : undefined));
      running.push(done.catch((error: unknown) => void breaches.push(`a fault failed: ${error}`)));
    },
    spells(count, [msMin, msMax], { begin, end }) {
      const times = Math.max(1, Math.round(count * share));
      for (let index = 0; index < times; index++) {
        const part = (LAST_SHARE - FIRST_SHARE) / times;
        const ms = msMin + random() * (msMax - msMin) * Math.sqrt(share);
        world.at(FIRST_SHARE + part * (index + random()), async () => {
          injected += 1;
          await begin(ms);
          if (end === undefined) return;
          await pause(ms);
          await end();
        });
      }
    },
    onFrame(fault) {
      const before = frames;
      const counted: FrameFault = (frame, target) => {
        const result = fault(frame, target);
        if (result.length !== 1 || result[0] !== frame) injected += 1;
        return result;
      };
      frames = (frame, target) =>
        (before?.(frame, target) ?? [frame]).flatMap((each) => counted(each, target));
      exchange.faults.onFrame = frames;
    },
    onRequest(fault) {
      requests.push(fault);
      exchange.faults.onRequest = (request) => {
        for (const each of requests) {
          const answer = each(request);
          if (answer === undefined) continue;
          injected += 1;
          return answer;
        }
        return undefined;
      };
    },
    injected(count = 1) {
      injected += count;
    },
    breach: (what) => breaches.push(what),
  };

  return {
    world,
    breaches,
    get injected() {
      return injected;
    },
    async over() {
      await Promise.all(running);
      Object.assign(exchange.faults, {
        onFrame: undefined,
        onRequest: undefined,
        onUpgrade: undefined,
        restLagMs: undefined,
        restDelayMs: undefined,
      });
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.allSettled(running);
    },
  };
}
