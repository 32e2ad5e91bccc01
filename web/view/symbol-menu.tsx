// The symbol in view, and the list to choose another from: searched by typing, walked by arrow keys.
import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Dashboard } from '../dashboard/dashboard.ts';
import { splitSymbol } from '../legend/legend-fields.ts';
import { closesMenu } from './closes-menu.ts';
import { Chevron } from './interval-menu.tsx';
import { matchSymbols } from './match-symbols.ts';

const LIST_ID = 'symbol-list';

export function SymbolMenu({ dashboard }: { readonly dashboard: Dashboard }) {
  const isOpen = useSignal(false);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => closesMenu(place, isOpen), [isOpen]);
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      isOpen.value = true;
    };
    document.addEventListener('keydown', open);
    return () => document.removeEventListener('keydown', open);
  }, [isOpen]);
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

function SymbolList(props: { readonly dashboard: Dashboard; readonly isOpen: Signal<boolean> }) {
  const { dashboard, isOpen } = props;
  const query = useSignal('');
  const at = useSignal(0);
  const field = useRef<HTMLInputElement>(null);
  // At once: what is typed next belongs to the search.
  useLayoutEffect(() => field.current?.focus(), []);
  const found = matchSymbols(dashboard.signals.symbols.value, query.value);
  const marked = found.shown[Math.min(at.value, found.shown.length - 1)];
  const choose = (symbol: string) => {
    isOpen.value = false;
    if (symbol !== dashboard.signals.symbol.value) dashboard.chooseSymbol(symbol);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      at.value = Math.max(0, Math.min(found.shown.length - 1, at.value + step));
    } else if (event.key === 'Enter' && marked !== undefined) {
      choose(marked);
    }
  };
  return (
    <div class="popover symbol-popover">
      <input
        ref={field}
        class="symbol-search"
        type="text"
        role="combobox"
        aria-label="Search a symbol"
        aria-controls={LIST_ID}
        aria-expanded="true"
        aria-activedescendant={marked === undefined ? undefined : optionId(marked)}
        placeholder="Search"
        autocomplete="off"
        spellcheck={false}
        value={query.value}
        onInput={(event) => {
          query.value = event.currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={onKey}
      />
      <div class="symbol-list" id={LIST_ID} role="listbox" aria-label="Symbols">
        {found.shown.map((symbol) => (
          <Option
            key={symbol}
            symbol={symbol}
            isChosen={symbol === dashboard.signals.symbol.value}
            isMarked={symbol === marked}
            onChoose={() => choose(symbol)}
          />
        ))}
      </div>
      {found.shown.length === 0 ? <p class="symbol-none">No symbol of this server fits.</p> : null}
      {found.left > 0 ? <p class="symbol-none">{found.left} more: type to narrow.</p> : null}
    </div>
  );
}

function Option(props: {
  readonly symbol: string;
  readonly isChosen: boolean;
  readonly isMarked: boolean;
  readonly onChoose: () => void;
}) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (props.isMarked) place.current?.scrollIntoView({ block: 'nearest' });
  }, [props.isMarked]);
  return (
    // The search field has the keyboard; the option is its active descendant.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    // biome-ignore lint/a11y/useFocusableInteractive: see above
    <div
      ref={place}
      class="symbol-option"
      id={optionId(props.symbol)}
      role="option"
      aria-selected={props.isChosen}
      data-marked={props.isMarked}
      onClick={props.onChoose}
    >
      <SymbolName symbol={props.symbol} />
    </div>
  );
}

function SymbolName({ symbol }: { readonly symbol: string }) {
  const { base, quote } = splitSymbol(symbol);
  return (
    <span class="symbol-name">
      {base}
      {quote === '' ? null : <span class="symbol-quote">{quote}</span>}
    </span>
  );
}

function optionId(symbol: string): string {
  return `symbol-${symbol}`;
}
