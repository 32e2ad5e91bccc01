// The symbol in view, and the button that opens the list to choose another from.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Dashboard } from '../dashboard/dashboard.ts';
import { closesMenu } from './closes-menu.ts';
import { Chevron } from './interval-menu.tsx';
import { opensByKey } from './opens-by-key.ts';
import { SymbolList, SymbolName } from './symbol-list.tsx';

export function SymbolMenu({ dashboard }: { readonly dashboard: Dashboard }) {
  const isOpen = useSignal(false);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => closesMenu(place, isOpen), [isOpen]);
  useEffect(() => opensByKey('/', isOpen), [isOpen]);
  const { symbol } = dashboard.signals;
  return (
    <div class="symbols" ref={place}>
      <button
        type="button"
        class="tool symbol-button"
        aria-haspopup="listbox"
        aria-expanded={isOpen.value}
        title="Choose a symbol (press /)"
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        <span class="sr-only">Symbol: </span>
        <SymbolName symbol={symbol.value ?? '…'} />
        <Chevron />
      </button>
      {isOpen.value ? <SymbolList dashboard={dashboard} isOpen={isOpen} /> : null}
    </div>
  );
}
