// Which partition a key goes to: Kafka's own rule (Java's default partitioner), so that other clients' records of a symbol meet ours.

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

/** Keys remembered with their hash. At the limit all are forgotten. */
const KEYS_MAX = 10_000;
const hashes = new Map<string, number>();

/** Murmur2 of the key's UTF-8 bytes, its sign dropped, modulo `count`. */
export function partitionOf(key: string, count: number): number {
  let hash = hashes.get(key);
  if (hash === undefined) {
    hash = murmur2(Buffer.from(key)) & 0x7fffffff;
    if (hashes.size >= KEYS_MAX) hashes.clear();
    hashes.set(key, hash);
  }
  return hash % count;
}

/** @see org.apache.kafka.common.utils.Utils.murmur2 */
export function murmur2(data: Uint8Array): number {
  const { length } = data;
  const view = new DataView(data.buffer, data.byteOffset, length);
  let hash = SEED ^ length;
  const whole = length - (length % 4);
  for (let at = 0; at < whole; at += 4) {
    let k = Math.imul(view.getInt32(at, true), M);
    k ^= k >>> R;
    hash = Math.imul(hash, M) ^ Math.imul(k, M);
  }
  let rest = 0;
  for (let at = length - 1; at >= whole; at--) rest = (rest << 8) | view.getUint8(at);
  if (length > whole) hash = Math.imul(hash ^ rest, M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}
