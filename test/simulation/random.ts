// Everything drawn in a run, from its seed: each part draws from a source of its own, so that a change in one moves no other.
import { type Random, seededRandom } from '../fake-exchange/random.ts';

export interface Draw {
  /** In [0, 1). */
  readonly random: Random;
  /** Whole, both inclusive. */
  integer(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<T>(choices: readonly [T, ...T[]]): T;
}

/** `part` names the source: the same seed and part give the same numbers. */
export function drawOf(seed: number, part: string): Draw {
  const random = seededRandom(hash(`${seed} ${part}`));
  const integer = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
  return {
    random,
    integer,
    chance: (probability) => random() < probability,
    pick: (choices) => choices[integer(0, choices.length - 1)] ?? choices[0],
  };
}

/** FNV-1a, 32 bits. */
export function hash(text: string, start = 0x811c9dc5): number {
  let value = start;
  for (let at = 0; at < text.length; at += 1) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
  }
  return value;
}
