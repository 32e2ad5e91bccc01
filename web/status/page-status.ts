// What the strip and the banner say, from the server's status and the page's own connection (I12). Pure.
import type { StatusView } from '../../src/protocol/browser.ts';

export type PageState = StatusView['state'] | 'no-server';

export interface PageStatus {
  readonly state: PageState;
  readonly word: string;
  readonly tone: 'good' | 'busy' | 'bad';
  /** False: what the chart shows may not be the market's present. */
  readonly isCurrent: boolean;
  readonly since: number | undefined;
  readonly reason: string | undefined;
}

const LOOKS: Readonly<
  Record<PageState, { readonly word: string; readonly tone: PageStatus['tone'] }>
> = {
  live: { word: 'Live', tone: 'good' },
  'catching-up': { word: 'Catching up', tone: 'busy' },
  repairing: { word: 'Repairing', tone: 'busy' },
  connecting: { word: 'Connecting', tone: 'busy' },
  stale: { word: 'Stale', tone: 'bad' },
  offline: { word: 'Offline', tone: 'bad' },
  'no-feed': { word: 'No feed', tone: 'bad' },
  'no-server': { word: 'No connection', tone: 'bad' },
};

const DEFAULT_REASONS: Readonly<Record<PageState, string | undefined>> = {
  live: undefined,
  'catching-up': 'Fetching the trades that were missed.',
  repairing: 'Fetching missing trades; the candles concerned are marked.',
  connecting: 'Connecting to the exchange.',
  stale: 'The exchange has gone silent.',
  offline: 'The exchange cannot be reached.',
  'no-feed': 'The server has no news of the feed.',
  'no-server': 'Trying to reconnect.',
};

export interface PageStatusInput {
  readonly status: StatusView | undefined;
  readonly isServerLost: boolean;
  /** The exchange's time of the last word from the server, ms. */
  readonly lastHeardAt: number | undefined;
  readonly symbol: string | undefined;
}

/** Data comes: where symbols are named, each one's own state counts. */
const FED: ReadonlySet<PageState> = new Set(['live', 'catching-up', 'repairing']);

/** The state of what this page shows: its connection first, then the feed, then the symbol in view. */
export function pageStatus(input: PageStatusInput): PageStatus {
  const { status } = input;
  if (input.isServerLost) return look('no-server', input.lastHeardAt, undefined);
  if (status === undefined) return look('connecting', undefined, 'Connecting to the server.');
  const ofSymbol = input.symbol === undefined ? undefined : status.symbols[input.symbol];
  const isOfSymbols = FED.has(status.state) && Object.keys(status.symbols).length > 0;
  if (!isOfSymbols) return look(status.state, status.since, status.reason);
  // Another symbol that joins, or is repaired, is no news here.
  return ofSymbol === undefined
    ? look('live', status.since, undefined)
    : look(ofSymbol, status.since, status.reason);
}

function look(state: PageState, since: number | undefined, reason: string | undefined): PageStatus {
  return {
    state,
    ...LOOKS[state],
    isCurrent: state === 'live' || state === 'repairing',
    since,
    reason: reason ?? DEFAULT_REASONS[state],
  };
}

/** The badge of a market that is not the real one of now; undefined for the exchange itself. */
export function sourceBadge(
  status: StatusView | undefined,
): { readonly word: string; readonly text: string } | undefined {
  switch (status?.source.kind) {
    case 'simulated':
      return { word: 'SIMULATED', text: 'Generated prices, not a real market' };
    case 'recording':
      return { word: 'RECORDING', text: 'Replayed trades, not the present market' };
    default:
      return undefined;
  }
}
