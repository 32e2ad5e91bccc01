// Lets requests through: by priority, so many at once, within the weight budget, and none while the exchange has told us to wait.
import type { Clock, DurationMs } from '../../core/market/time.ts';
import { createWeightBudget, type Priority, type WeightBudget } from './weight-budget.ts';

/** Requests under way at once. */
export const REQUESTS_AT_ONCE_MAX = 8;

const ORDER: readonly Priority[] = ['urgent', 'start', 'repair', 'history'];

export interface RequestGate {
  readonly budget: WeightBudget;
  /**
   * Waits for a turn; call the answer when the request is over.
   * @throws the signal's reason when it aborts first.
   */
  enter(weight: number, priority: Priority, signal: AbortSignal): Promise<() => void>;
  /** Nobody enters for `ms`: the exchange said Retry-After. */
  blockFor(ms: DurationMs): void;
}

interface Waiting {
  readonly weight: number;
  readonly priority: Priority;
  readonly enter: () => void;
}

/** `signal` ends its own timers when the feed closes. */
export function createRequestGate(clock: Clock, signal: AbortSignal): RequestGate {
  const budget = createWeightBudget();
  const queues: Record<Priority, Waiting[]> = { urgent: [], start: [], repair: [], history: [] };
  let underWay = 0;
  /** Times to wait that are not over: by timers, for the machine's clock may be set meanwhile. */
  let blocks = 0;
  let timer: AbortController | undefined;

  function admit(): void {
    timer?.abort();
    timer = undefined;
    if (blocks > 0) return;
    let wait = 0;
    while (underWay < REQUESTS_AT_ONCE_MAX) {
      const queue = ORDER.map((priority) => queues[priority]).find(({ length }) => length > 0);
      const first = queue?.[0];
      if (queue === undefined || first === undefined) return;
      wait = budget.take(first.weight, first.priority, clock.now());
      if (wait > 0) break;
      queue.shift();
      underWay += 1;
      first.enter();
    }
    if (wait > 0) later(wait);
  }

  function later(ms: number): void {
    const own = new AbortController();
    timer = own;
    const cancel = AbortSignal.any([own.signal, signal]);
    void clock.sleep(ms, cancel).then(() => {
      // `sleep` never rejects; a cancelled one was replaced by another or the feed is closing.
      if (!cancel.aborted) admit();
    });
  }

  return {
    budget,
    blockFor(ms) {
      blocks += 1;
      // `sleep` never rejects; when the feed closes nobody waits any more.
      void clock.sleep(ms, signal).then(() => {
        blocks -= 1;
        if (!signal.aborted) admit();
      });
    },
    enter(weight, priority, cancel) {
      const { promise, resolve, reject } = Promise.withResolvers<() => void>();
      const leave = once(() => {
        underWay -= 1;
        admit();
      });
      const onAbort = () => {
        const at = queues[priority].indexOf(waiting);
        if (at >= 0) queues[priority].splice(at, 1);
        reject(cancel.reason);
      };
      const waiting: Waiting = {
        weight,
        priority,
        enter() {
          cancel.removeEventListener('abort', onAbort);
          resolve(leave);
        },
      };
      if (cancel.aborted) {
        reject(cancel.reason);
      } else {
        cancel.addEventListener('abort', onAbort, { once: true });
        queues[priority].push(waiting);
        admit();
      }
      return promise;
    },
  };
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
