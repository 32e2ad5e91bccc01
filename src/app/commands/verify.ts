// `wickstream verify`: stored history against the exchange's klines; what differs goes to standard output, and with --repair is mended.
import type { HistoryDifference } from '../../core/audit/compare-history.ts';
import type { Candle } from '../../core/market/candle.ts';
import { candleDifferences } from '../../core/market/candle-differences.ts';
import { formatDecimal } from '../../core/market/decimal.ts';
import { addMs, EPOCH_MS_MAX, epochMs, SECOND_MS } from '../../core/market/time.ts';
import { binanceSource } from '../../feed/binance/feed.ts';
import { openMarketHistory } from '../../feed/binance/market-history.ts';
import { ConfigError } from '../config.ts';
import { openStore, openStoreToRead } from '../open-store.ts';
import { systemClock } from '../system-clock.ts';
import type { TimeSpan } from '../time-span.ts';
import { historyMender, type Mended } from '../verify/mend-history.ts';
import { type VerifyProgress, type VerifyResult, verifyHistory } from '../verify/verify-history.ts';
import type { CommandContext } from './up.ts';

/** Answers the exit code: 0 where all of it is equal, or was mended; 1 else. @throws ConfigError, StoreError, FeedError */
export async function verify(
  context: CommandContext,
  span: TimeSpan,
  options: { readonly repair: boolean },
  print: (line: string) => void,
): Promise<0 | 1> {
  const { config, logger, signal } = context;
  const from = span.from ?? epochMs(0);
  const to = span.to === undefined ? epochMs(EPOCH_MS_MAX) : addMs(span.to, 1);
  if (config.source.kind !== 'auto' && config.source.kind !== 'binance') {
    throw new ConfigError([
      `--source: expected binance, whose klines are compared with, was "${config.source.kind}"`,
    ]);
  }
  await using closing = new AsyncDisposableStack();
  const source = binanceSource({
    restUrls: config.binanceRestUrls,
    webSocketUrls: config.binanceWebSocketUrls,
  });
  const store = closing.use(
    await (options.repair ? openStore : openStoreToRead)(config, source, logger),
  );
  const clock = systemClock;
  const [firstSymbol] = config.symbols;
  if (firstSymbol === undefined) return 0;
  const history = closing.use(
    await openMarketHistory(firstSymbol, {
      restUrls: config.binanceRestUrls,
      clock,
      random: Math.random,
      ...(config.proxy === undefined ? {} : { proxy: config.proxy }),
      onTrouble: (reason) => logger.warn(reason),
      signal,
    }),
  );
  const mend = options.repair ? historyMender({ store, history, clock }) : undefined;
  const { symbols, intervals } = config;
  try {
    const result = await verifyHistory({
      ...{ store, history, symbols, intervals, from, to, clock, signal },
      onDifference: async (difference) => {
        const mended = await mend?.(difference);
        for (const line of differenceLines(difference, mended)) print(line);
        return mended !== undefined;
      },
      onProgress: (progress) => logger.info(progressLine(progress)),
    });
    print(resultLine(result, options.repair));
    return result.faults > result.mended || result.compared === 0 ? 1 : 0;
  } catch (error) {
    if (!signal.aborted) throw error;
    print('Ended before all was compared.');
    return 1;
  }
}

/** One line, and one more for each field that differs, with both values. */
export function differenceLines(difference: HistoryDifference, mended: Mended): string[] {
  const candle = 'theirs' in difference ? difference.theirs : difference.ours;
  const { symbol, interval, openTime } = candle;
  const where = `${symbol} ${interval} ${new Date(openTime).toISOString()}`;
  const how = mended === undefined ? '' : ` — mended (${mended})`;
  switch (difference.type) {
    case 'missing':
      return [`${where}: missing; the exchange has ${shortly(difference.theirs)}${how}`];
    case 'extra':
      return [`${where}: stored, but the exchange has none; ${shortly(difference.ours)}`];
    case 'incomplete':
      return [`${where}: equal, though marked as lacking trades${how}`];
    case 'differs':
    case 'rounding': {
      const fields = candleDifferences(difference.ours, difference.theirs);
      const what = difference.type === 'rounding' ? 'within rounding' : 'differs';
      return [
        `${where}: ${what} (revision ${difference.ours.revision}, source ${difference.ours.source})${how}`,
        ...fields.map(
          ({ field, ours, theirs }) => `    ${field}: stored ${ours}, exchange ${theirs}`,
        ),
      ];
    }
  }
}

function shortly({ open, high, low, close, volume, trades }: Candle): string {
  const [o, h, l, c, v] = [open, high, low, close, volume].map(formatDecimal);
  return `open ${o} high ${h} low ${l} close ${c} volume ${v} trades ${trades}`;
}

function progressLine({ symbol, interval, compared, perSecond, leftMs }: VerifyProgress): string {
  const left = leftMs === 0 ? '' : `, about ${Math.ceil(leftMs / SECOND_MS)} s left`;
  return `${symbol} ${interval}: ${compared} candles compared, ${Math.round(perSecond)}/s${left}`;
}

function resultLine(
  { compared, faults, mended, tolerated, empty }: VerifyResult,
  isRepair: boolean,
): string {
  const parts = [`${compared} candles compared, ${faults} differ`];
  if (isRepair) parts.push(`${mended} of them mended`);
  if (tolerated > 0) parts.push(`${tolerated} equal but for rounding or a mark`);
  if (empty.length > 0) parts.push(`nothing stored of ${empty.join(', ')}`);
  return `${parts.join('; ')}.`;
}
