// The search over what the exchange lists: asks after a pause in typing, and only the newest question counts. Shows nothing.
import { type Signal, signal } from '@preact/signals';
import type { ListedSymbol } from './symbol-api.ts';

/** A pause in typing. */
export const SEARCH_AFTER_MS = 180;

export type SearchState =
  /** Nothing is asked for: the field is empty. */
  | { readonly state: 'idle' }
  | { readonly state: 'searching' }
  | { readonly state: 'found'; readonly listings: readonly ListedSymbol[] }
  /** The server knows of no listings: only its own symbols can be chosen. */
  | { readonly state: 'unavailable' }
  | { readonly state: 'failed'; readonly fault: string };

export interface SymbolSearch {
  readonly state: Signal<SearchState>;
  ask(query: string): void;
  close(): void;
}

export function symbolSearch(
  fetch: (query: string, signal: AbortSignal) => Promise<readonly ListedSymbol[] | undefined>,
): SymbolSearch {
  const state = signal<SearchState>({ state: 'idle' });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking = new AbortController();

  async function search(query: string): Promise<void> {
    const current = asking.signal;
    try {
      const listings = await fetch(query, current);
      if (current.aborted) return;
      state.value =
        listings === undefined ? { state: 'unavailable' } : { state: 'found', listings };
    } catch (error) {
      if (current.aborted) return;
      const fault = error instanceof Error ? error.message : String(error);
      state.value = { state: 'failed', fault };
    }
  }

  function close(): void {
    clearTimeout(timer);
    asking.abort();
  }

  return {
    state,
    ask(query) {
      close();
      asking = new AbortController();
      if (query === '') {
        state.value = { state: 'idle' };
        return;
      }
      // What was found for less typed stays to be read until the new answer comes.
      if (state.value.state !== 'found') state.value = { state: 'searching' };
      // A fault is told through the state.
      timer = setTimeout(() => void search(query), SEARCH_AFTER_MS);
    },
    close,
  };
}
