// Back-fills on the server: started, looked at, ended. Throws an Error whose message can be shown to the reader.
import { isInterval } from '../../src/core/market/interval.ts';
import type { BackfillView } from '../../src/protocol/backfill.ts';
import { askServer, bodyOf, postJson } from '../connection/ask-server.ts';
import { isRecord } from '../connection/parse-message.ts';

export type BackfillWish = Pick<BackfillView, 'symbol' | 'interval' | 'from' | 'to'>;

export async function startBackfill(base: string, wish: BackfillWish): Promise<BackfillView> {
  return viewOf(await askServer(new URL('api/v1/backfills', base), postJson(wish)));
}

export async function fetchBackfill(base: string, id: string): Promise<BackfillView> {
  return viewOf(await askServer(urlOf(base, id)));
}

export async function cancelBackfill(base: string, id: string): Promise<BackfillView> {
  return viewOf(await askServer(urlOf(base, id), { method: 'DELETE' }));
}

function urlOf(base: string, id: string): URL {
  return new URL(`api/v1/backfills/${encodeURIComponent(id)}`, base);
}

async function viewOf(response: Response): Promise<BackfillView> {
  const { backfill } = await bodyOf(response);
  if (!isBackfill(backfill)) throw new Error('the server answered something else than a back-fill');
  return backfill;
}

const STATES: ReadonlySet<unknown> = new Set<BackfillView['state']>([
  'running',
  'done',
  'cancelled',
  'failed',
]);

function isBackfill(value: unknown): value is BackfillView {
  return (
    isRecord(value) &&
    STATES.has(value['state']) &&
    ['id', 'symbol'].every((name) => typeof value[name] === 'string') &&
    isInterval(String(value['interval'])) &&
    ['from', 'to', 'candles', 'windows', 'windowsTotal'].every((name) =>
      Number.isFinite(value[name]),
    )
  );
}
