// One life of the product's process: its clock, and everything that reaches it from outside or leaves it. It can be stopped for a while, put to
// sleep, and killed: from then on nothing of it reaches anybody, and none of its promises ever resolves.
import type { Clock, EpochMs } from '../../src/core/market/time.ts';
import type { Planned, VirtualTime } from './virtual-time.ts';

export interface Life {
  readonly number: number;
  readonly clock: Clock;
  isAlive(): boolean;
  /** When the machine's clock was set, exchange time (ms); of earlier lives too. */
  clockSetAt(): readonly number[];
  /** Exchange time (ms) of its death. */
  endedAt(): number | undefined;
  isPaused(): boolean;
  /** Does `act` inside the process `ms` from now; while it is paused, when it goes on. */
  arrive(ms: number, act: () => void): void;
  /** Like `arrive`, by the process's own timer, which stands still while the machine sleeps. */
  timer(ms: number, act: () => void): Planned;
  /** Something is about to leave the process: false where it is dead, which it may become just here. */
  leaves(what: string): boolean;
  /** Something has taken effect outside; the process may die before it hears of it. */
  hasLeft(what: string): void;
  /** It dies at the `count`-th thing that leaves it from now on, before or after that has its effect. */
  dieAt(count: number, isAfter: boolean): void;
  die(): void;
  /** SIGSTOP: timers go on and are late. */
  pause(): void;
  /** The machine sleeps: its timers stand still. */
  sleep(): void;
  resume(): void;
}

export interface LifeOptions {
  readonly number: number;
  readonly time: VirtualTime;
  /** The machine's clock minus the exchange's, ms; may change. */
  readonly skewMs: () => number;
  readonly clockSetAt: () => readonly number[];
  readonly onDeath: (where: string) => void;
}

interface Timer extends Planned {
  planned: Planned;
  readonly act: () => void;
}

export function createLife(options: LifeOptions): Life {
  const { time } = options;
  const timers = new Set<Timer>();
  let state: 'running' | 'paused' | 'asleep' | 'dead' = 'running';
  let backlog: (() => void)[] = [];
  let asleepSince = 0;
  let endedAt: number | undefined;
  let death: { left: number; readonly isAfter: boolean } | undefined;

  function run(act: () => void): void {
    if (state === 'running') act();
    else if (state !== 'dead') backlog.push(act);
  }

  function die(where: string): void {
    if (state === 'dead') return;
    state = 'dead';
    endedAt = time.now();
    backlog = [];
    for (const { planned } of timers) planned.cancel();
    timers.clear();
    options.onDeath(where);
  }

  /** True where the process dies at this very place. */
  function diesHere(isAfter: boolean): boolean {
    if (death === undefined || death.isAfter !== isAfter) return false;
    death.left -= 1;
    return death.left <= 0;
  }

  function timer(ms: number, act: () => void): Planned {
    const made: Timer = {
      act,
      planned: time.after(ms, () => {
        timers.delete(made);
        run(act);
      }),
      get due() {
        return made.planned.due;
      },
      cancel() {
        timers.delete(made);
        made.planned.cancel();
      },
    };
    timers.add(made);
    return made;
  }

  /** Each timer has as much left as it had. */
  function shiftTimers(): void {
    const shifted = [...timers];
    for (const each of shifted) {
      each.planned.cancel();
      const left = Math.max(0, each.planned.due - asleepSince);
      each.planned = time.after(left, () => {
        timers.delete(each);
        run(each.act);
      });
    }
  }

  function wakeUp(): void {
    const waiting = backlog;
    backlog = [];
    for (const act of waiting) time.after(0, () => run(act));
  }

  const clock: Clock = {
    now: () => (time.now() + options.skewMs()) as EpochMs,
    sleep(ms, signal) {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (!life.leaves('sleep')) return promise;
      if (signal?.aborted) return Promise.resolve();
      const planned = timer(Math.max(1, ms), () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = () => {
        planned.cancel();
        if (state !== 'dead') resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      return promise;
    },
  };

  const life: Life = {
    number: options.number,
    clock,
    isAlive: () => state !== 'dead',
    endedAt: () => endedAt,
    clockSetAt: options.clockSetAt,
    isPaused: () => state === 'paused' || state === 'asleep',
    arrive: (ms, act) => void time.after(ms, () => run(act)),
    timer,
    leaves(what) {
      if (state !== 'dead' && diesHere(false)) die(`before ${what}`);
      return state !== 'dead';
    },
    hasLeft(what) {
      if (state !== 'dead' && diesHere(true)) die(`after ${what}`);
    },
    dieAt(count, isAfter) {
      death = { left: count, isAfter };
    },
    die: () => die('at a moment'),
    pause() {
      if (state === 'running') state = 'paused';
    },
    sleep() {
      if (state !== 'running') return;
      state = 'asleep';
      asleepSince = time.now();
      for (const { planned } of timers) planned.cancel();
    },
    resume() {
      if (state === 'dead' || state === 'running') return;
      if (state === 'asleep') shiftTimers();
      state = 'running';
      wakeUp();
    },
  };
  return life;
}
