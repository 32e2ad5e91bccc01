// How the feed is, for the screen (I12): the newest status, or that there is no news of it. Invents no state of its own but `no-feed`.
import type { FeedStatus } from '../core/market/feed-status.ts';
import type { Source } from '../core/market/source.ts';
import { addMs, type Clock, type DurationMs, type EpochMs } from '../core/market/time.ts';
import type { StatusView } from '../protocol/browser.ts';
import type { LiveMarket } from '../stages/live-market.ts';
import { type SourceView, sourceView } from './source-view.ts';

/** A status comes every second; three missed in a row are no accident, and 5 s is what the user was promised. */
export const FEED_NEWS_AGE_MS_MAX: DurationMs = 3_000;

export interface FeedNews extends Disposable {
  view(): StatusView;
  source(): SourceView;
  /** The exchange's clock, as far as it is known. */
  exchangeTime(): EpochMs;
  /** Exchange's clock minus ours, ms; undefined while it is not known. */
  clockOffsetMs(): number | undefined;
}

export interface FeedNewsOptions {
  readonly market: LiveMarket;
  readonly clock: Clock;
  /** The source where it is known before the feed's first status. */
  readonly source?: Source;
  /** Why the store takes nothing now; undefined while it does. */
  readonly storeFault?: () => string | undefined;
  /** What the store takes on disk, as far as it is known. */
  readonly storeBytes?: () => number | undefined;
}

export function feedNews(options: FeedNewsOptions): FeedNews {
  const { market, clock, source, storeFault, storeBytes } = options;
  const startedAt = clock.now();
  let receivedAt = startedAt;
  let received = 0;
  const stop = market.subscribe((event) => {
    if (event.type !== 'status') return;
    receivedAt = clock.now();
    received += 1;
  });
  const viewSource = (): SourceView => sourceView(market.status()?.source ?? source);
  return {
    source: viewSource,
    exchangeTime: () => addMs(clock.now(), Math.round(market.status()?.clockOffsetMs ?? 0)),
    clockOffsetMs: () => market.status()?.clockOffsetMs,
    view: () =>
      statusView({
        status: market.status(),
        source: viewSource(),
        storeFault: storeFault?.(),
        storeBytes: storeBytes?.(),
        now: clock.now(),
        // Two in a row prove that news is flowing, however far the other machine's clock is off;
        // a single one may be a compacted topic's last word of yesterday, so its own date counts.
        newsAt: received > 1 ? receivedAt : earliest(market.status()?.at, receivedAt),
      }),
    [Symbol.dispose]: stop,
  };
}

function earliest(at: EpochMs | undefined, receivedAt: EpochMs): EpochMs {
  return at !== undefined && at < receivedAt ? at : receivedAt;
}

/** Pure: status and clock → what the strip shows. `newsAt`: when news last came, or the start. */
export function statusView(input: {
  readonly status: FeedStatus | undefined;
  readonly source: SourceView;
  readonly storeFault?: string | undefined;
  readonly storeBytes?: number | undefined;
  readonly now: EpochMs;
  readonly newsAt: EpochMs;
}): StatusView {
  const { status, source, storeFault, storeBytes, now, newsAt } = input;
  const common = {
    source,
    symbols: status?.symbols ?? {},
    exchangeTime: now + Math.round(status?.clockOffsetMs ?? 0),
    serverTime: now,
    ...(storeFault === undefined ? {} : { storeFault }),
    ...(storeBytes === undefined ? {} : { storeBytes }),
  };
  if (now - newsAt > FEED_NEWS_AGE_MS_MAX) {
    return {
      state: 'no-feed',
      since: newsAt,
      reason:
        'The server has no news of the feed: the ingest stage is not running or not reachable.',
      ...common,
    };
  }
  if (status === undefined) return { state: 'connecting', since: newsAt, ...common };
  return {
    state: status.state,
    since: status.since,
    ...(status.reason === undefined ? {} : { reason: status.reason }),
    ...common,
    ...(status.feedDelayMs === undefined ? {} : { feedDelayMs: status.feedDelayMs }),
  };
}
