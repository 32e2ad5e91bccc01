// In the legend: the verdict on its candle in words, and for one that differs both values, field by field.
import type { Dashboard } from '../dashboard/dashboard.ts';
import { VerdictMark } from './verdict-mark.tsx';
import type { VerdictView } from './verdict-view.ts';

export function VerdictPanel({ dashboard }: { readonly dashboard: Dashboard }) {
  const view = dashboard.signals.verdict.value;
  if (view === undefined) return null;
  return (
    <div class="verdict" data-standing={view.standing}>
      <p class="verdict-line" title={`${view.word}: ${view.detail}`}>
        <VerdictMark standing={view.standing} />
        <strong class="verdict-word">{view.word}</strong>
        <span class="verdict-detail">{view.detail}</span>
      </p>
      {view.standing === 'differs' ? <BothValues view={view} /> : null}
    </div>
  );
}

function BothValues({ view }: { readonly view: VerdictView }) {
  return (
    <div class="verdict-values">
      {view.progress === '' ? null : <p class="verdict-progress">{view.progress}</p>}
      {view.pairs.length === 0 ? null : (
        <table>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Ours</th>
              <th scope="col">Exchange</th>
            </tr>
          </thead>
          <tbody>
            {view.pairs.map(({ label, ours, theirs }) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                <td>{ours}</td>
                <td>{theirs}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <td colSpan={3}>{view.equal} other fields are equal</td>
            </tr>
          </tfoot>
        </table>
      )}
    </div>
  );
}
