// What the page says of the audit: the verdict in words, the day in one line, and the fields that differ.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type AuditDay,
  ROW_CLOSED,
  ROW_DIFFERS,
  ROW_FROM_KLINES,
  ROW_REPAIRED,
  ROW_UNVERIFIED,
  ROW_VERIFIED,
} from '../../src/protocol/browser.ts';
import { testRow } from '../chart/test-rows.ts';
import { auditLine, bytesText, pendingOf } from './audit-day.ts';
import { differingFields } from './differing-fields.ts';
import { standingOf, verdictText } from './verdict.ts';
import { verdictView } from './verdict-view.ts';

const DAY_MS = 86_400_000;
const day: AuditDay = {
  day: 10 * DAY_MS,
  closed: 1_440,
  verified: 1_440,
  repaired: 0,
  differs: 0,
  unverified: 0,
  fromKlines: 0,
};
const row = (flags: number, revision = 0) => testRow({ openTime: 0, flags, revision });

describe('standingOf', () => {
  it('has one answer for each verdict, and none on intervals that are not audited', () => {
    for (const [flags, standing] of [
      [0, 'open'],
      [ROW_CLOSED, 'pending'],
      [ROW_CLOSED | ROW_VERIFIED, 'verified'],
      [ROW_CLOSED | ROW_REPAIRED, 'repaired'],
      [ROW_CLOSED | ROW_DIFFERS, 'differs'],
      [ROW_CLOSED | ROW_UNVERIFIED, 'unverified'],
      [ROW_CLOSED | ROW_FROM_KLINES, 'taken'],
      [ROW_CLOSED | ROW_FROM_KLINES | ROW_UNVERIFIED, 'taken'],
    ] as const) {
      assert.equal(standingOf(row(flags), '1m'), standing);
      assert.equal(standingOf(row(flags), '1h'), undefined);
    }
  });
});

describe('auditLine', () => {
  it('counts with thousands, and today until the next day’s first minute has closed', () => {
    const line = auditLine(day, day.day + DAY_MS + 60_000);
    assert.deepEqual(
      [line.counts, line.when, line.tone],
      ['1,440 of 1,440 verified', 'today', 'good'],
    );
    assert.equal(auditLine(day, day.day + DAY_MS + 120_000).when, 'on 11 Jan');
  });

  it('says what is not verified, the worst deciding the tone', () => {
    const some = { ...day, verified: 1_434, repaired: 2, differs: 1, unverified: 1 };
    const line = auditLine(some, day.day);
    assert.deepEqual(line.others, ['2 repaired', '1 differs', '1 unverified']);
    assert.equal(line.tone, 'bad');
    assert.equal(auditLine({ ...some, differs: 0 }, day.day).tone, 'busy');
    assert.equal(pendingOf(some), 2);
    assert.deepEqual(auditLine({ ...day, differs: 2 }, day.day).others, ['2 differ']);
  });
});

describe('verdict in words', () => {
  it('never calls a generated exchange the exchange', () => {
    for (const standing of ['verified', 'repaired', 'differs', 'unverified', 'pending'] as const) {
      const { detail } = verdictText(standing, {
        kind: 'simulated',
        revision: 0,
        reason: undefined,
      });
      assert.match(detail, /the simulated exchange/, standing);
    }
  });

  it('says at once what the row knows, and the rest when it has been fetched', () => {
    const differs = row(ROW_CLOSED | ROW_DIFFERS);
    const of = { interval: '1m', kind: 'binance' } as const;
    assert.match(verdictView(differs, of, { state: 'loading' })?.progress ?? '', /Fetching/);
    const failed = verdictView(differs, of, { state: 'failed', fault: 'the server answered 500' });
    assert.match(failed?.progress ?? '', /could not be fetched: the server answered 500/);
    const audit = {
      revision: 0,
      rounding: false,
      reason: 'asked twice',
      ours: { open: '1.00000000', trades: 3 },
      theirs: { open: '1.10000000', trades: 3 },
    };
    const view = verdictView(differs, of, { state: 'loaded', audit });
    assert.deepEqual(view, {
      standing: 'differs',
      word: 'Differs',
      detail: 'asked twice',
      pairs: [{ label: 'Open', ours: '1', theirs: '1.1' }],
      equal: 1,
      progress: '',
    });
    const rounded = { ...audit, rounding: true, reason: undefined };
    const verified = verdictView(row(ROW_CLOSED | ROW_VERIFIED), of, {
      state: 'loaded',
      audit: rounded,
    });
    assert.equal(verified?.word, 'Verified (rounding)');
  });
});

it('compares digits as they came, and no id that one side does not know', () => {
  const ours = { open: '1.00000000', volume: '1234.50000000', trades: 1_000, firstTradeId: 7 };
  const theirs = { open: '1.00000000', volume: '1234.50000001', trades: 1_001 };
  assert.deepEqual(differingFields(ours, theirs), {
    pairs: [
      { label: 'Volume', ours: '1,234.5', theirs: '1,234.50000001' },
      { label: 'Trades', ours: '1,000', theirs: '1,001' },
    ],
    equal: 1,
  });
});

describe('bytesText', () => {
  it('says three digits and a unit', () => {
    assert.deepEqual(
      [0, 999, 1_000, 85_143_552, 1_023.99 * 1_048_576, 12 * 1_024 ** 3].map(bytesText),
      ['0 bytes', '999 bytes', '0.977 KiB', '81.2 MiB', '1.00 GiB', '12.0 GiB'],
    );
  });
});
