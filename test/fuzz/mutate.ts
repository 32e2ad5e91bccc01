// Spoils bytes and values by a seed: what a broken network, proxy or exchange might send. Refuses nothing.

export type Random = () => number;

/** In [0, 1), by seed. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function pick<T>(from: readonly T[], random: Random): T {
  const one = from[Math.floor(random() * from.length)];
  if (one === undefined && from.length === 0)
    throw new RangeError('Expected something to pick from');
  return one as T;
}

/** Values that have no business in a field, and some that nearly have. */
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  '',
  '0',
  '0.00000000',
  '-1.5',
  '1e5',
  '01.5',
  '1.',
  '.5',
  'NaN',
  '0.000000001',
  '1.500000000000',
  '999999999999999.99999999',
  '1000000000000000.0',
  '9'.repeat(45),
  0,
  -1,
  1,
  1.5,
  -0,
  1e15,
  999_999_999_999_999,
  1e300,
  253_402_300_799_999,
  253_402_300_800_000,
  [],
  {},
  ['1.0'],
  'BTCUSDT',
  'btcusdt',
  'ETHUSDT',
  'BTCUSDT\u0000',
  '币安人生USDT',
  'aggTrade',
  'kline',
];

const JSON_TOKENS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '0',
  '-',
  '.',
  'e9',
  'null',
  'true',
  '"a":7,',
];

/** A copy of `fields` with one to three of them changed, removed or added. */
export function spoilFields(
  fields: Readonly<Record<string, unknown>>,
  random: Random,
): Record<string, unknown> {
  const spoiled: Record<string, unknown> = { ...fields };
  const names = Object.keys(fields);
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
    const name = pick(names, random);
    const way = random();
    if (way < 0.15) delete spoiled[name];
    else if (way < 0.25) spoiled[pick(names, random)] = spoiled[name];
    else spoiled[name] = pick(ODD_VALUES, random);
  }
  return spoiled;
}

/** A copy of `text` with bytes flipped, cut, doubled or put in. */
export function spoilText(text: string, random: Random): Uint8Array {
  let bytes = Buffer.from(text);
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
    const at = Math.floor(random() * (bytes.length + 1));
    const way = random();
    if (way < 0.3 && at < bytes.length) {
      bytes = Buffer.from(bytes);
      bytes[at] = Math.floor(random() * 256);
    } else if (way < 0.45) bytes = bytes.subarray(0, at);
    else if (way < 0.6)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - 9))]);
    else if (way < 0.75) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    else
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(pick(JSON_TOKENS, random)),
        bytes.subarray(at),
      ]);
  }
  return bytes;
}
