// The simulation's time: what happens is an entry (time, sequence), done one after the other, each with all that follows from it, before
// the clock goes on. No real time, no randomness: the same entries give the same run.

export interface Planned {
  /** It does not happen any more. */
  cancel(): void;
  readonly due: number;
}

/** Who has things due of its own (the exchange): asked before each entry. */
export interface DueSource {
  nextDue(): number;
  runTo(time: number): void;
}

export interface VirtualTime {
  /** ms, whole. */
  now(): number;
  /** Does `act` after `ms`; what is planned first for the same moment is done first. */
  after(ms: number, act: () => void): Planned;
  /** Goes on to `time`, doing all that is due. */
  runTo(time: number): Promise<void>;
  /** Entries done so far. */
  readonly steps: number;
}

interface Entry extends Planned {
  readonly sequence: number;
  act: (() => void) | undefined;
}

export function createVirtualTime(start: number, source: DueSource): VirtualTime {
  const heap: Entry[] = [];
  let now = start;
  let sequence = 0;
  let steps = 0;

  function isBefore(one: Entry, other: Entry): boolean {
    return one.due < other.due || (one.due === other.due && one.sequence < other.sequence);
  }

  function push(entry: Entry): void {
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  function pop(): Entry | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      let below = heap[child];
      const right = heap[child + 1];
      if (below !== undefined && right !== undefined && isBefore(right, below)) {
        child += 1;
        below = right;
      }
      if (below === undefined || !isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }

  /** When the next entry is due that still happens. */
  function nextEntry(): number {
    for (let first = heap[0]; first !== undefined; first = heap[0]) {
      if (first.act !== undefined) return first.due;
      pop();
    }
    return Number.POSITIVE_INFINITY;
  }

  function doNext(until: number): boolean {
    const entry = nextEntry();
    const due = Math.min(entry, source.nextDue());
    if (due > until) return false;
    now = Math.max(now, due);
    source.runTo(now);
    if (entry > now) return true;
    const next = pop();
    const act = next?.act;
    if (next !== undefined) next.act = undefined;
    act?.();
    return true;
  }

  return {
    now: () => now,
    after(ms, act) {
      const due = now + Math.max(0, Math.ceil(ms));
      const entry: Entry = {
        due,
        sequence: sequence++,
        act,
        cancel() {
          entry.act = undefined;
        },
      };
      push(entry);
      return entry;
    },
    async runTo(time) {
      while (doNext(time)) {
        steps += 1;
        await settled();
      }
      now = Math.max(now, time);
      source.runTo(now);
      await settled();
    },
    get steps() {
      return steps;
    },
  };
}

/**
 * Resolves when every promise that can go on has gone on. Two turns of the event loop: the first lets
 * promises run dry, the second what they gave to `setImmediate`. A longer chain of immediates goes on
 * beside the next entry, at the same place each time: nothing real is waited for, so the order is fixed.
 */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
