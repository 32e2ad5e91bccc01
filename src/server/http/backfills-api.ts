// Gaps filled from the dashboard: starts a back-fill, tells how it stands, ends it. Fetches nothing itself.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { INTERVAL_MS, INTERVALS, type Interval } from '../../core/market/interval.ts';
import { EPOCH_MS_MAX, type EpochMs, epochMs } from '../../core/market/time.ts';
import {
  BACKFILL_LAG_MS,
  BACKFILL_WINDOWS_MAX,
  type BackfillView,
} from '../../protocol/backfill.ts';
import {
  BACKFILLS_AT_ONCE_MAX,
  BACKFILLS_KEPT_MAX,
  type BackfillRequest,
  type Backfills,
} from '../../stages/backfills.ts';
import type { LiveMarket } from '../../stages/live-market.ts';
import type { FeedNews } from '../feed-news.ts';
import { HttpError } from './error-body.ts';
import { symbolOf } from './symbols-api.ts';

export interface BackfillsApiOptions {
  readonly market: LiveMarket;
  readonly news: FeedNews;
  readonly intervals: readonly Interval[];
  /** Absent where this process has no market's past to ask for. */
  readonly backfills: Backfills | undefined;
}

const EXPECTED =
  'Expected {"symbol":"BTCUSDT","interval":"1m","from":…,"to":…}, times in ms since 1970';

const time = z.number().int().min(0).max(EPOCH_MS_MAX).transform(epochMs);
const bodySchema = z.object({
  symbol: z.string(),
  interval: z.enum(INTERVALS),
  from: time,
  to: time,
});

/** `POST /api/v1/backfills`, `GET` and `DELETE /api/v1/backfills/<id>`. 202: it has begun; what is there already is left as it is. */
export function registerBackfillsApi(app: FastifyInstance, options: BackfillsApiOptions): void {
  const { news, backfills } = options;
  const answer = (backfill: BackfillView) => ({ source: news.source(), backfill });

  app.post('/api/v1/backfills', async (request, reply) => {
    if (backfills === undefined) throw pastFault(options);
    const wanted = requestOf(request.body);
    const fault = requestFault(wanted, options);
    if (fault !== undefined) throw fault;
    const begun = backfills.start(wanted);
    switch (begun.type) {
      case 'started':
        return reply.code(202).send(answer(begun.backfill));
      case 'busy':
        throw busyFault(begun.backfill);
      case 'too-many': {
        const message = `${BACKFILLS_AT_ONCE_MAX} back-fills are running, the most there can be: wait for one to end, or cancel it`;
        throw new HttpError(409, 'too-many-backfills', message);
      }
      default:
        return begun satisfies never;
    }
  });

  app.get<{ Params: { id: string } }>('/api/v1/backfills/:id', async (request) =>
    answer(known(request.params.id, backfills?.find(request.params.id))),
  );

  app.delete<{ Params: { id: string } }>('/api/v1/backfills/:id', async (request) =>
    answer(known(request.params.id, backfills?.cancel(request.params.id))),
  );
}

function requestOf(body: unknown): BackfillRequest {
  const parsed = bodySchema.safeParse(body);
  if (parsed.success) return { ...parsed.data, symbol: symbolOf(parsed.data.symbol) };
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  throw new HttpError(400, 'bad-parameter', `${EXPECTED}; ${where}: ${issue?.message}`);
}

function requestFault(
  wanted: BackfillRequest,
  { market, news, intervals }: BackfillsApiOptions,
): HttpError | undefined {
  const { symbol, interval } = wanted;
  if (!market.symbols().includes(symbol)) {
    const message = `"${symbol}" is not followed; POST /api/v1/symbols adds it`;
    return new HttpError(404, 'unknown-symbol', message);
  }
  if (!intervals.includes(interval)) {
    const message = `Expected one of the intervals ${intervals.join(', ')}, was "${interval}": add it with --intervals`;
    return new HttpError(400, 'bad-parameter', message);
  }
  const message = spanFault(wanted, news.exchangeTime());
  if (message !== undefined) return new HttpError(400, 'bad-span', message);
  const { state, reason } = news.view();
  if (state !== 'offline' && state !== 'connecting') return undefined;
  const why = reason === undefined ? '' : ` (${reason})`;
  return new HttpError(
    409,
    'offline',
    `The exchange cannot be asked while the feed is ${state}${why}: try again when it is live`,
  );
}

function spanFault({ interval, from, to }: BackfillRequest, now: EpochMs): string | undefined {
  const span = `${iso(from)} to ${iso(to)}`;
  if (from >= to) return `Expected "from" before "to", was ${span}`;
  const windows = (to - from) / INTERVAL_MS[interval];
  if (windows > BACKFILL_WINDOWS_MAX) {
    const days = Math.floor((BACKFILL_WINDOWS_MAX * INTERVAL_MS[interval]) / INTERVAL_MS['1d']);
    return `Expected at most ${BACKFILL_WINDOWS_MAX} candles of ${interval} (${days} days) at once, was ${Math.ceil(windows)} (${span}): ask for less, or run wickstream backfill --from ${iso(from).slice(0, 10)}`;
  }
  if (from < now - BACKFILL_LAG_MS) return undefined;
  return `Expected a span that begins more than ${BACKFILL_LAG_MS / 60_000} minutes ago, was ${span}: what is newer comes with the stream`;
}

function pastFault({ news }: BackfillsApiOptions): HttpError {
  const { kind, label } = news.source();
  const message =
    kind === 'binance'
      ? 'This process has no feed to ask for the past: run wickstream backfill --from <day> beside it'
      : `${label} has no past to ask for beyond what it brings by itself: only the exchange does, with --source binance`;
  return new HttpError(409, 'no-history', message);
}

function busyFault({ id, symbol, interval, windows, windowsTotal }: BackfillView): HttpError {
  const message = `A back-fill of ${symbol} ${interval} is running (${id}, ${windows} of ${windowsTotal} windows): wait for it, or DELETE /api/v1/backfills/${id}`;
  return new HttpError(409, 'busy', message);
}

function known(id: string, backfill: BackfillView | undefined): BackfillView {
  if (backfill !== undefined) return backfill;
  const message = `No back-fill "${id.slice(0, 40)}" is known: the last ${BACKFILLS_KEPT_MAX} since the start are`;
  throw new HttpError(404, 'unknown-backfill', message);
}

function iso(at: EpochMs): string {
  return new Date(at).toISOString();
}
