// In the strip: how many of the day's minutes are verified; opened, what became of each and where to look.
import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { AuditDay, AuditSummary } from '../../src/protocol/browser.ts';
import { candleTimeText, UTC } from '../chart/wall-clock.ts';
import type { Dashboard } from '../dashboard/dashboard.ts';
import { zoneOf } from '../dashboard/page-texts.ts';
import { closesMenu } from '../view/closes-menu.ts';
import { amount, auditLine, bytesText, dayText, pendingOf } from './audit-day.ts';
import { exchangeName, type SourceKind, type Standing } from './verdict.ts';
import { VerdictMark } from './verdict-mark.tsx';

const DETAILS_ID = 'audit-details';

export function AuditStrip({ dashboard }: { readonly dashboard: Dashboard }) {
  const isOpen = useSignal(false);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => closesMenu(place, isOpen), [isOpen]);
  const audit = dashboard.signals.audit.value;
  if (audit === undefined) return null;
  const line = auditLine(audit, dashboard.exchangeNow());
  const worst: Standing =
    audit.differs > 0 ? 'differs' : audit.unverified > 0 ? 'unverified' : 'verified';
  return (
    <div class="strip-audit" ref={place} data-tone={line.tone}>
      <button
        type="button"
        id="audit"
        class="strip-audit-button"
        aria-expanded={isOpen.value}
        aria-controls={DETAILS_ID}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        <VerdictMark standing={worst} />
        <span class="strip-audit-text">
          <span class="strip-audit-counts">
            {line.counts} <span class="strip-audit-when">{line.when}</span>
          </span>
          {line.others.map((other) => (
            <span key={other} class="strip-audit-other" data-differs={other.includes('differ')}>
              {' · '}
              {other}
            </span>
          ))}
        </span>
      </button>
      {isOpen.value ? <Details dashboard={dashboard} audit={audit} isOpen={isOpen} /> : null}
    </div>
  );
}

interface DetailsProps {
  readonly dashboard: Dashboard;
  readonly audit: AuditDay;
  readonly isOpen: Signal<boolean>;
}

function Details({ dashboard, audit, isOpen }: DetailsProps) {
  const { symbol, status } = dashboard.signals;
  const kind = status.value?.source.kind;
  const since =
    audit.since === undefined
      ? ''
      : `, since ${candleTimeText(audit.since, '1m', UTC).slice(-5)} UTC`;
  return (
    <div class="popover audit-popover" id={DETAILS_ID} role="dialog" aria-label="Audit of the day">
      <p class="audit-title">
        <strong>{symbol.value} 1m candles</strong> of {dayText(audit.day)} (UTC){since}
      </p>
      <p class="audit-about">{aboutText(kind)}</p>
      <dl class="audit-counts">
        <Count standing="verified" count={audit.verified} word="verified" />
        <Count standing="repaired" count={audit.repaired} word="repaired by a correction" />
        <Count standing="differs" count={audit.differs} word="differ still" />
        <Count standing="unverified" count={audit.unverified} word="could not be verified" />
        <Count standing="pending" count={pendingOf(audit)} word="await the exchange’s candle" />
        <Count standing="taken" count={audit.fromKlines} word="from klines: nothing to compare" />
      </dl>
      <Exceptions dashboard={dashboard} audit={audit} isOpen={isOpen} />
      <StoreSize bytes={status.value?.storeBytes} />
    </div>
  );
}

function StoreSize({ bytes }: { readonly bytes: number | undefined }) {
  if (bytes === undefined) return null;
  return (
    <p class="audit-about" id="store-size">
      The store takes {bytesText(bytes)} on disk.
    </p>
  );
}

function aboutText(kind: SourceKind | undefined): string {
  const exchange = exchangeName(kind);
  const made =
    kind === 'simulated'
      ? ' That exchange is generated here: this proves the program, not a market.'
      : '';
  return `Each minute folded here from trades is compared with ${exchange}’s own candle, in every field.${made}`;
}

function Count(props: {
  readonly standing: Standing;
  readonly count: number;
  readonly word: string;
}) {
  return (
    <div class="audit-count" data-none={props.count === 0}>
      <dt>
        <VerdictMark standing={props.standing} /> {props.word}
      </dt>
      <dd>{amount(props.count)}</dd>
    </div>
  );
}

/** Fetched when opened, and again when a count changes. */
function Exceptions({ dashboard, audit, isOpen }: DetailsProps) {
  const summary = useSignal<AuditSummary | undefined>(undefined);
  const fault = useSignal('');
  const symbol = dashboard.signals.symbol.value ?? '';
  const { day, repaired, differs, unverified } = audit;
  const some = repaired + differs + unverified;
  useEffect(() => {
    const asking = new AbortController();
    if (some === 0) return () => asking.abort();
    dashboard
      .fetchAudits(day, asking.signal)
      .then((answer) => {
        summary.value = answer;
        fault.value = '';
      })
      .catch((error: unknown) => {
        if (asking.signal.aborted) return;
        fault.value = `They could not be listed: ${error instanceof Error ? error.message : error}.`;
      });
    return () => asking.abort();
  }, [symbol, day, repaired, differs, unverified]);
  if (some === 0) return null;
  const exceptions = summary.value?.symbol === symbol ? summary.value.exceptions : [];
  const zone = zoneOf(dashboard.signals.zone.value);
  return (
    <div class="audit-exceptions">
      {fault.value === '' ? null : <p class="audit-fault">{fault.value}</p>}
      <ul>
        {exceptions.map(({ openTime, verdict, reason }) => (
          <li key={openTime}>
            <button
              type="button"
              title={reason}
              onClick={() => {
                isOpen.value = false;
                // It tells of its own faults.
                void dashboard.lookAtMinute(openTime);
              }}
            >
              <VerdictMark standing={verdict} />
              <time>{candleTimeText(openTime, '1m', zone).slice(-5)}</time>
              <span>{verdict}</span>
              <span class="audit-reason">{reason}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
