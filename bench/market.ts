// The exchange the benchmarks run against: a fake one with generated history and load, in this process, on the loopback address.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeExchange, type FakeExchange } from '../test/fake-exchange/fake-exchange.ts';
import { generateHistory } from '../test/fake-exchange/generate.ts';

export interface BenchMarket extends AsyncDisposable {
  readonly exchange: FakeExchange;
  readonly symbols: readonly string[];
  readonly dataDir: string;
}

/** `BTCUSDT`, and `S001USDT` … where more are asked for. */
export async function openBenchMarket(
  symbolCount: number,
  history: { readonly days: number; readonly minuteDays: number },
): Promise<BenchMarket> {
  const symbols = Array.from({ length: symbolCount }, (_, index) =>
    index === 0 ? 'BTCUSDT' : `S${String(index).padStart(3, '0')}USDT`,
  );
  const to = Date.now();
  const klines = generateHistory({ seed: 1, to, ...history });
  const exchange = await createFakeExchange({
    symbols: symbols.map((symbol) => ({ symbol, klines })),
  });
  const dataDir = await mkdtemp(join(tmpdir(), 'wickstream-bench-'));
  return {
    exchange,
    symbols,
    dataDir,
    [Symbol.asyncDispose]: async () => {
      await exchange[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
