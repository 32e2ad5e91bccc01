// Numbers that look random and are a pure function of what they are asked for: the simulated market has no other chance. Not for secrets.

/**
 * Spreads every bit of a 32-bit whole number over all others.
 * @see Austin Appleby, MurmurHash3, the 32-bit finalizer
 */
export function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

/** Spreads consecutive counters: 2^32 divided by the golden ratio. */
const STEP = 0x9e3779b9;
const TWO_32 = 4_294_967_296;

/** A 32-bit key of a text and a seed. Equal for equal arguments on every machine. */
export function keyOf(text: string, seed: number): number {
  let key = mix(seed ^ STEP) ^ mix(Math.floor(seed / TWO_32));
  for (let index = 0; index < text.length; index += 1) {
    key = mix(key + Math.imul(text.charCodeAt(index), STEP));
  }
  return key;
}

/** A 32-bit hash of a key and two whole numbers (their low 53 bits count). */
export function hashOf(key: number, a: number, b: number): number {
  const high = Math.floor(a / TWO_32);
  return mix(mix(mix(key + Math.imul(a | 0, STEP)) ^ high) + Math.imul(b | 0, STEP));
}

/** A hash as a number in [0, 1). */
export function unitOf(hash: number): number {
  return (hash >>> 0) / TWO_32;
}

/** A stream of numbers from one 32-bit seed: it holds the place reached. */
export class RandomStream {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Goes on as a new stream of `seed` would: spares an object where millions are asked for. */
  restart(seed: number): void {
    this.#state = seed | 0;
  }

  /** 32 bits, as a signed whole number. */
  bits(): number {
    this.#state = (this.#state + STEP) | 0;
    return mix(this.#state);
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return (this.bits() >>> 0) / TWO_32;
  }

  /** Exponential, mean 1, at most 22.2. */
  exponential(): number {
    return -Math.log(1 - this.unit());
  }

  /**
   * Normal, mean 0 and deviation 1.
   * @see Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958
   */
  normal(): number {
    return Math.sqrt(2 * this.exponential()) * Math.cos(2 * Math.PI * this.unit());
  }

  /** Mean 0 and deviation 1 from two halves of one word (a triangle, within ±2.45): cheap, for what is summed up anyway. */
  roughNormal(): number {
    const bits = this.bits();
    return ((bits & 0xffff) + (bits >>> 16) - 0xffff) * HALVES_SCALE;
  }
}

const HALVES_SCALE = Math.sqrt(6) / 0x10000;

/** Rows of the tables, each as likely as the others; a power of two. */
const ROWS = 1_024;

/** The low 10 of `bits` as an exponential: mean 1, at most 7.6. */
export function exponentialOf(bits: number): number {
  return EXPONENTIALS[bits & (ROWS - 1)] ?? 1;
}

/** The low 10 of `bits` as a factor with median 1, whose logarithm is normal with deviation 0.7. */
export function factorOf(bits: number): number {
  return FACTORS[bits & (ROWS - 1)] ?? 1;
}

const EXPONENTIALS = Float64Array.from({ length: ROWS }, (_, row) => -Math.log((row + 0.5) / ROWS));
const FACTORS = factors();

function factors(): Float64Array {
  const random = new RandomStream(0);
  return Float64Array.from({ length: ROWS }, () => Math.exp(0.7 * random.normal()));
}
