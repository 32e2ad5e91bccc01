// Keeps the page's address on the view, so that a copied link reopens it. Writes seldom: browsers limit it.
import type { Interval } from '../../src/core/market/interval.ts';
import { type ViewRange, writeUrl } from '../view/url-state.ts';

const WRITE_DELAY_MS = 300;

export interface AddressBar {
  /** Writes what `view` says in a moment, once for all calls until then; undefined: nothing to write yet. */
  saveSoon(): void;
  close(): void;
}

export function addressBar(
  view: () =>
    | {
        readonly symbol: string;
        readonly interval: Interval;
        readonly range: ViewRange | undefined;
      }
    | undefined,
): AddressBar {
  let timer: ReturnType<typeof setTimeout> | undefined;
  function save(): void {
    timer = undefined;
    const shown = view();
    if (shown === undefined) return;
    const next = writeUrl(location.search, shown);
    if (next !== location.search) history.replaceState(null, '', next);
  }
  return {
    saveSoon() {
      timer ??= setTimeout(save, WRITE_DELAY_MS);
    },
    close: () => clearTimeout(timer),
  };
}
