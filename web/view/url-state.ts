// The view in the page's address: `?symbol=ETHUSDT&interval=5m&from=…&to=…`. Pure; what it can't read it names.
import { INTERVALS, type Interval, isInterval } from '../../src/core/market/interval.ts';
import { parseMarketSymbol } from '../../src/core/market/symbol.ts';

export const DEFAULT_INTERVAL: Interval = '1m';

/** Open times in ms at the edges of what the reader looks at; absent at the live edge. */
export interface ViewRange {
  readonly from: number;
  readonly to: number;
}

export interface UrlView {
  readonly symbol: string | undefined;
  readonly interval: Interval;
  readonly range: ViewRange | undefined;
  /** One line for each thing that could not be read. */
  readonly faults: readonly string[];
}

/** Reads the address's query. A symbol is upper-cased; whether the server has it is not known here. */
export function readUrl(search: string): UrlView {
  const query = new URLSearchParams(search);
  const faults: string[] = [];
  const wanted = query.get('symbol');
  const symbol = wanted === null ? undefined : parseMarketSymbol(wanted);
  if (wanted !== null && symbol === undefined) {
    faults.push(`Expected a symbol such as BTCUSDT in the link, was “${wanted.slice(0, 60)}”.`);
  }
  const interval = query.get('interval') ?? DEFAULT_INTERVAL;
  if (!isInterval(interval)) {
    faults.push(
      `Expected an interval of ${INTERVALS.join(' ')} in the link, was “${interval.slice(0, 20)}”.`,
    );
  }
  return {
    symbol,
    interval: isInterval(interval) ? interval : DEFAULT_INTERVAL,
    range: readRange(query.get('from'), query.get('to')),
    faults,
  };
}

/** The query of a view; other parameters (`bench`) stay as they are. */
export function writeUrl(
  search: string,
  view: {
    readonly symbol: string;
    readonly interval: Interval;
    readonly range: ViewRange | undefined;
  },
): string {
  const query = new URLSearchParams(search);
  query.set('symbol', view.symbol);
  query.set('interval', view.interval);
  for (const edge of ['from', 'to'] as const) {
    if (view.range === undefined) query.delete(edge);
    else query.set(edge, String(view.range[edge]));
  }
  return `?${query}`;
}

function readRange(from: string | null, to: string | null): ViewRange | undefined {
  if (from === null || to === null || !/^\d{1,15}$/.test(from) || !/^\d{1,15}$/.test(to)) {
    return undefined;
  }
  const range = { from: Number(from), to: Number(to) };
  return range.from < range.to ? range : undefined;
}
