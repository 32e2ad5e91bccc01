// Symbols the reader has asked the server to add or remove, and what became of it. Chooses an added one once the server has it.
import { type Signal, signal } from '@preact/signals';
import { addSymbol, removeSymbol } from './symbol-api.ts';

/** How long a symbol may take to appear in the server's list before that is told. */
export const APPEAR_MS_MAX = 15_000;

export interface SymbolWishes {
  /** Asked for, and not yet in the server's list (or still in it, where it is to go). */
  readonly waiting: Signal<ReadonlySet<string>>;
  /** Why the last wish was not granted; empty where there is nothing to tell. */
  readonly fault: Signal<string>;
  add(symbol: string): void;
  remove(symbol: string): void;
  /** The server's list, whenever it comes. */
  listed(symbols: readonly string[]): void;
  close(): void;
}

export function symbolWishes(options: {
  readonly base: string;
  /** An added symbol has come. */
  readonly onAdded: (symbol: string) => void;
}): SymbolWishes {
  const waiting = signal<ReadonlySet<string>>(new Set());
  const fault = signal('');
  const wanted = new Map<
    string,
    { readonly isAdd: boolean; timer: ReturnType<typeof setTimeout> }
  >();

  function settle(symbol: string, told: string): void {
    clearTimeout(wanted.get(symbol)?.timer);
    wanted.delete(symbol);
    waiting.value = new Set(wanted.keys());
    fault.value = told;
  }

  async function wish(symbol: string, isAdd: boolean): Promise<void> {
    if (wanted.has(symbol)) return;
    const verb = isAdd ? 'added' : 'removed';
    const timer = setTimeout(() => {
      settle(
        symbol,
        `${symbol} was asked to be ${verb}, but is not yet: the server log may say why.`,
      );
    }, APPEAR_MS_MAX);
    wanted.set(symbol, { isAdd, timer });
    waiting.value = new Set(wanted.keys());
    fault.value = '';
    try {
      await (isAdd ? addSymbol : removeSymbol)(options.base, symbol);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      settle(symbol, `${symbol} was not ${verb}: ${why}`);
    }
  }

  return {
    waiting,
    fault,
    // Faults are told through `fault`.
    add: (symbol) => void wish(symbol, true),
    remove: (symbol) => void wish(symbol, false),
    listed(symbols) {
      for (const [symbol, { isAdd }] of [...wanted]) {
        if (symbols.includes(symbol) !== isAdd) continue;
        settle(symbol, '');
        if (isAdd) options.onAdded(symbol);
      }
    },
    close() {
      for (const { timer } of wanted.values()) clearTimeout(timer);
    },
  };
}
