// What people and programs are told about whose market this is (I10). Names it; never guesses it.
import { type Source, sourceId } from '../core/market/source.ts';
import type { StatusView } from '../protocol/browser.ts';

export type SourceView = StatusView['source'];

/** Stands until the feed has said who it is: the first status of a fresh start is milliseconds away. */
const SOURCE_UNKNOWN: SourceView = {
  kind: 'recording',
  id: 'unknown',
  label: 'Source not yet known',
};

export function sourceView(source: Source | undefined): SourceView {
  if (source === undefined) return SOURCE_UNKNOWN;
  return { kind: source.kind, id: sourceId(source), label: sourceLabel(source) };
}

function sourceLabel(source: Source): string {
  switch (source.kind) {
    case 'binance':
      return `Binance (${source.host})`;
    case 'simulated':
      return `Simulated market, seed ${source.seed}`;
    case 'recording':
      return `Recording ${source.name}`;
  }
}
