// Rows for the tests of web/: only what a test names differs from a quiet, closed, complete minute.
import { type CandleRow, ROW_CLOSED, ROW_COMPLETE } from '../../src/protocol/browser.ts';

export interface RowWish {
  readonly openTime: number;
  readonly open?: string;
  readonly high?: string;
  readonly low?: string;
  readonly close?: string;
  readonly volume?: string;
  readonly takerBuyVolume?: string;
  readonly firstTradeId?: number | null;
  readonly lastTradeId?: number | null;
  readonly revision?: number;
  readonly flags?: number;
}

export function testRow(wish: RowWish): CandleRow {
  const close = wish.close ?? '100.00000000';
  return [
    wish.openTime,
    wish.open ?? close,
    wish.high ?? close,
    wish.low ?? close,
    close,
    wish.volume ?? '2.00000000',
    '200.00000000',
    3,
    wish.takerBuyVolume ?? '1.00000000',
    '100.00000000',
    wish.firstTradeId === undefined ? 1 : wish.firstTradeId,
    wish.lastTradeId === undefined ? 3 : wish.lastTradeId,
    wish.revision ?? 0,
    wish.flags ?? ROW_CLOSED | ROW_COMPLETE,
  ];
}

/** One row a minute, from minute `from` up to and without `to`. */
export function testMinutes(from: number, to: number): CandleRow[] {
  const rows: CandleRow[] = [];
  for (let minute = from; minute < to; minute++) rows.push(testRow({ openTime: minute * 60_000 }));
  return rows;
}
