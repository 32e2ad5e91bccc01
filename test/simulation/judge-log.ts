// What one process wrote to the log: each closed candle once, corrections one by one, nothing refused that was good.
import { shortened } from './difference.ts';
import { type SimProduct, textOf } from './sim-product.ts';

export function judgeLog({ life, published }: SimProduct): string[] {
  const revisions = new Map<string, number>();
  const failures: string[] = [];
  for (const { candle } of published) {
    const key = `${candle.symbol} ${candle.interval} ${candle.openTime}`;
    const before = revisions.get(key);
    // What an earlier process corrected may come first with its last revision.
    if (before !== undefined && candle.revision !== before + 1) {
      failures.push(
        `Process ${life.number} published revision ${candle.revision} after ${before}: ${textOf(candle)}`,
      );
    }
    revisions.set(key, candle.revision);
  }
  return shortened(failures);
}
