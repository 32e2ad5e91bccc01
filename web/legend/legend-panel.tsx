// The legend over the chart: the candle under the crosshair, else the last one, in every field.
import { computed, useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { VerdictPanel } from '../audit/verdict-panel.tsx';
import type { Dashboard } from '../dashboard/dashboard.ts';
import type { LegendKey } from './legend-fields.ts';

interface FieldLook {
  readonly key: LegendKey;
  readonly label: string;
  readonly title: string;
}

const PRICES: readonly FieldLook[] = [
  { key: 'open', label: 'O', title: 'Open' },
  { key: 'high', label: 'H', title: 'High' },
  { key: 'low', label: 'L', title: 'Low' },
  { key: 'close', label: 'C', title: 'Close' },
  { key: 'change', label: 'Chg', title: 'Change from open to close' },
];

const AMOUNTS: readonly FieldLook[] = [
  { key: 'volume', label: 'Vol', title: 'Volume, in the base asset' },
  { key: 'quoteVolume', label: 'Quote vol', title: 'Quote volume, in the quote asset' },
  { key: 'trades', label: 'Trades', title: 'Number of single trades' },
  { key: 'takerBuyVolume', label: 'Taker buy', title: 'Volume bought by takers, base asset' },
  {
    key: 'takerBuyQuoteVolume',
    label: 'Taker buy quote',
    title: 'Volume bought by takers, quote asset',
  },
];

const PROOFS: readonly FieldLook[] = [
  { key: 'firstTradeId', label: 'First id', title: 'Id of the first trade' },
  { key: 'lastTradeId', label: 'Last id', title: 'Id of the last trade' },
  { key: 'revision', label: 'Rev', title: 'Revision: how often the candle was corrected' },
  { key: 'complete', label: 'Complete', title: 'Whether no trade is missing in the candle' },
  { key: 'source', label: 'Source', title: 'Made from single trades, or taken from klines' },
];

export function LegendPanel({ dashboard }: { readonly dashboard: Dashboard }) {
  const { legend } = dashboard.signals;
  const isExpanded = useSignal(false);
  const marks = useMemo(
    () => ({
      direction: computed(() => legend.value.direction),
      isIncomplete: computed(() => !legend.value.isComplete),
      isCorrected: computed(() => legend.value.isCorrected),
      time: computed(() => legend.value.time),
      phase: computed(() => {
        if (legend.value.time === '') return '';
        return legend.value.isClosed ? 'closed' : 'open';
      }),
    }),
    [legend],
  );
  return (
    <section
      class="legend"
      aria-label="Candle"
      data-expanded={isExpanded.value}
      data-direction={marks.direction}
      data-incomplete={marks.isIncomplete}
      data-corrected={marks.isCorrected}
    >
      <p class="legend-when">
        <span class="legend-time">{marks.time}</span>
        <span class="legend-phase">{marks.phase}</span>
        <button
          type="button"
          class="legend-more"
          aria-expanded={isExpanded.value}
          onClick={() => {
            isExpanded.value = !isExpanded.value;
          }}
        >
          {isExpanded.value ? 'Less' : 'All fields'}
        </button>
      </p>
      <Fields class="legend-prices" fields={PRICES} dashboard={dashboard} />
      <Fields class="legend-amounts" fields={AMOUNTS} dashboard={dashboard} />
      <Fields class="legend-proofs" fields={PROOFS} dashboard={dashboard} />
      <VerdictPanel dashboard={dashboard} />
    </section>
  );
}

function Fields(props: {
  readonly class: string;
  readonly fields: readonly FieldLook[];
  readonly dashboard: Dashboard;
}) {
  return (
    <dl class={`legend-fields ${props.class}`}>
      {props.fields.map((look) => (
        <Field key={look.key} look={look} dashboard={props.dashboard} />
      ))}
    </dl>
  );
}

function Field({ look, dashboard }: { readonly look: FieldLook; readonly dashboard: Dashboard }) {
  const { legend } = dashboard.signals;
  const text = useMemo(() => computed(() => legend.value.texts[look.key]), [legend, look]);
  return (
    <div class="legend-field" data-field={look.key} title={look.title}>
      <dt>{look.label}</dt>
      <dd>{text}</dd>
    </div>
  );
}
