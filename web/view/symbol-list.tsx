// The symbols to choose from: the server's own, and what the exchange lists, which can be added. Searched by typing, walked by arrow keys.
import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { Dashboard } from '../dashboard/dashboard.ts';
import { splitSymbol } from '../legend/legend-fields.ts';
import { matchSymbols } from './match-symbols.ts';
import { searchListings } from './symbol-api.ts';
import { type SearchState, symbolSearch } from './symbol-search.ts';

const LIST_ID = 'symbol-list';

interface Entry {
  readonly symbol: string;
  /** Whether the server has it; else it can be added. */
  readonly isHere: boolean;
  /** What there is to say of it: `catching up`, `not trading`, `adding`. */
  readonly note: string;
}

interface ListProps {
  readonly dashboard: Dashboard;
  readonly isOpen: Signal<boolean>;
}

export function SymbolList({ dashboard, isOpen }: ListProps) {
  const query = useSignal('');
  const at = useSignal(0);
  const field = useRef<HTMLInputElement>(null);
  const search = useMemo(
    () => symbolSearch((text, signal) => searchListings(document.baseURI, text, signal)),
    [],
  );
  useEffect(() => search.close, [search]);
  // At once: what is typed next belongs to the search.
  useLayoutEffect(() => field.current?.focus(), []);
  const found = matchSymbols(dashboard.signals.symbols.value, query.value);
  const entries = entriesOf(dashboard, found.shown, search.state.value);
  const marked = entries[Math.min(at.value, entries.length - 1)];
  const take = ({ symbol, isHere, note }: Entry) => {
    if (!isHere) {
      if (note !== NOTE_ADDING) dashboard.wishes.add(symbol);
      return;
    }
    isOpen.value = false;
    if (symbol !== dashboard.signals.symbol.value) dashboard.chooseSymbol(symbol);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      at.value = Math.max(0, Math.min(entries.length - 1, at.value + step));
    } else if (event.key === 'Enter' && marked !== undefined) {
      take(marked);
    }
  };
  const optionOf = (entry: Entry) => (
    <Option
      key={entry.symbol}
      entry={entry}
      isChosen={entry.symbol === dashboard.signals.symbol.value}
      isMarked={entry.symbol === marked?.symbol}
      onTake={() => take(entry)}
      onRemove={() => dashboard.wishes.remove(entry.symbol)}
    />
  );
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
        aria-activedescendant={marked === undefined ? undefined : optionId(marked.symbol)}
        placeholder="Search all symbols of the exchange"
        autocomplete="off"
        spellcheck={false}
        value={query.value}
        onInput={(event) => {
          query.value = event.currentTarget.value;
          at.value = 0;
          search.ask(query.value.trim());
        }}
        onKeyDown={onKey}
      />
      <Fault dashboard={dashboard} />
      <div class="symbol-list" id={LIST_ID} role="listbox" aria-label="Symbols">
        {entries.filter(({ isHere }) => isHere).map(optionOf)}
        {entries.some(({ isHere }) => !isHere) ? (
          <p class="symbol-heading" role="presentation">
            On the exchange · choose to add
          </p>
        ) : null}
        {entries.filter(({ isHere }) => !isHere).map(optionOf)}
      </div>
      {found.left > 0 ? <p class="symbol-none">{found.left} more: type to narrow.</p> : null}
      <p class="symbol-none" role="status">
        {searchText(search.state.value, entries.length)}
      </p>
    </div>
  );
}

const NOTE_ADDING = 'adding …';

function entriesOf(
  { signals, wishes }: Dashboard,
  here: readonly string[],
  search: SearchState,
): readonly Entry[] {
  const waiting = wishes.waiting.value;
  const busy = signals.status.value?.symbols ?? {};
  const own = here.map((symbol) => ({
    symbol,
    isHere: true,
    note: waiting.has(symbol) ? 'removing …' : (busy[symbol] ?? '').replace('-', ' '),
  }));
  if (search.state !== 'found') return own;
  const known = new Set(signals.symbols.value);
  const listed = search.listings.filter(({ symbol }) => !known.has(symbol));
  return [
    ...own,
    ...listed.map(({ symbol, status }) => ({
      symbol,
      isHere: false,
      note: waiting.has(symbol) ? NOTE_ADDING : status === 'TRADING' ? '' : 'not trading',
    })),
  ];
}

function searchText(search: SearchState, count: number): string {
  switch (search.state) {
    case 'idle':
      return '';
    case 'searching':
      return 'Searching the exchange …';
    case 'found':
      return count === 0 ? 'Neither this server nor the exchange has such a symbol.' : '';
    case 'unavailable':
      return count === 0
        ? 'No symbol of this server fits, and it knows no others to add.'
        : 'This server knows no others to add.';
    case 'failed':
      return `The exchange’s symbols could not be searched: ${search.fault}.`;
  }
}

function Fault({ dashboard }: { readonly dashboard: Dashboard }) {
  const fault = dashboard.wishes.fault.value;
  if (fault === '') return null;
  return (
    <p class="symbol-fault" role="alert">
      {fault}
    </p>
  );
}

function Option(props: {
  readonly entry: Entry;
  readonly isChosen: boolean;
  readonly isMarked: boolean;
  readonly onTake: () => void;
  readonly onRemove: () => void;
}) {
  const { entry, isMarked } = props;
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isMarked) place.current?.scrollIntoView({ block: 'nearest' });
  }, [isMarked]);
  return (
    <div class="symbol-row" data-marked={isMarked} ref={place}>
      {/* The search field has the keyboard; the option is its active descendant. */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: see above */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: see above */}
      <div
        class="symbol-option"
        id={optionId(entry.symbol)}
        role="option"
        aria-selected={props.isChosen}
        data-here={entry.isHere}
        onClick={props.onTake}
      >
        <SymbolName symbol={entry.symbol} />
        <span class="symbol-note">{entry.note}</span>
        {entry.isHere || entry.note === NOTE_ADDING ? null : (
          <span class="symbol-add" aria-hidden="true">
            Add
          </span>
        )}
      </div>
      {entry.isHere ? (
        <button
          type="button"
          class="symbol-remove"
          aria-label={`Remove ${entry.symbol}`}
          title={`Stop following ${entry.symbol}; its candles are kept`}
          onClick={props.onRemove}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M4.5 4.5l7 7M11.5 4.5l-7 7" />
          </svg>
        </button>
      ) : null}
    </div>
  );
}

export function SymbolName({ symbol }: { readonly symbol: string }) {
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
