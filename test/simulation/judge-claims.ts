// What one process claimed while it lived: a candle it published as complete, in whatever revision, and a verdict it gave. Claims must be true when
// they are made; what is mended later was false all the same.
import { differenceOf, shortened } from './difference.ts';
import { type Published, type SimProduct, textOf } from './sim-product.ts';
import type { Truth } from './truth.ts';

export function judgeClaims({ life, published, verdicts }: SimProduct, truth: Truth): string[] {
  const process = `Process ${life.number}`;
  const wrong = new Map<string, string>();
  for (const { candle } of published) {
    const difference = falsehoodOf(candle, truth);
    if (difference !== undefined) wrong.set(keyOf(candle), difference);
  }
  const complete = published
    .filter(({ candle }) => candle.complete && wrong.has(keyOf(candle)))
    .map(
      ({ candle }) =>
        `${process} published as complete, though ${wrong.get(keyOf(candle))}: ${textOf(candle)}`,
    );
  const verified = verdicts
    .filter(({ verdict }) => verdict === 'verified' || verdict === 'repaired')
    .map((audit) => [audit, wrong.get(keyOf({ ...audit, interval: '1m' }))] as const)
    .filter(([, difference]) => difference !== undefined)
    .map(
      ([{ symbol, openTime, revision, verdict }, difference]) =>
        `${process} said ${verdict} of ${symbol} ${new Date(openTime).toISOString()} r${revision}, though ${difference}`,
    );
  return shortened([...complete, ...verified]);
}

/** Numbers alone: that trades are missing is a claim of its own. */
function falsehoodOf(candle: Published['candle'], truth: Truth): string | undefined {
  const expected = truth.find(candle.symbol, candle.interval, candle.openTime);
  if (expected === undefined) return 'the exchange has none';
  return differenceOf({ ...candle, complete: true }, expected);
}

function keyOf({ symbol, interval, openTime, revision }: KeyOf): string {
  return `${symbol} ${interval} ${openTime} ${revision}`;
}

type KeyOf = Pick<Published['candle'], 'symbol' | 'interval' | 'openTime' | 'revision'>;
