// The records one simulated symbol writes to raw_ticks: its start, the klines that tile its open windows, then trades and watermarks without end. No clock: each says when it is due.
import type { RawTick } from '../../core/market/raw-tick.ts';
import { addMs, DAY_MS, type DurationMs, type EpochMs, MINUTE_MS } from '../../core/market/time.ts';
import { aggTradeOf } from './minute-trades.ts';
import type { SimulatedSymbol } from './simulated-symbol.ts';
import { daysFrom, type SymbolHistory } from './symbol-history.ts';

/** How long after a minute's end the exchange says that it is over. */
export const WATERMARK_DELAY_MS: DurationMs = 35;

export interface DueTick {
  readonly due: EpochMs;
  readonly tick: RawTick;
}

/**
 * What goes before the first trade of a symbol that joins at `join`: its start, closed 1d, closed 1m.
 * `missedFrom`: end of what is held of before; minutes from there on come along where `history` reaches
 * back that far, and the days they lie in are left to them.
 */
export function startTicks(
  symbol: SimulatedSymbol,
  join: EpochMs,
  history: SymbolHistory,
  missedFrom: EpochMs | undefined,
): RawTick[] {
  const today = addMs(join, -(join % DAY_MS));
  const firstDay = daysFrom(symbol, join);
  const past = history.get('1m') ?? [];
  const reach = past[0]?.openTime ?? join;
  const isReached = missedFrom !== undefined && missedFrom >= reach && missedFrom < today;
  const minutesFrom = isReached ? missedFrom : today;
  const minutes = past.filter((candle) => candle.openTime >= minutesFrom);
  const daysEnd = addMs(minutesFrom, -(minutesFrom % DAY_MS));
  const days = (history.get('1d') ?? []).filter(
    ({ openTime }) => openTime >= firstDay && openTime < daysEnd,
  );
  return [
    {
      type: 'symbol',
      start: {
        symbol: symbol.listing.symbol,
        time: join,
        threeDayAnchor: symbol.calendar.threeDayAnchor,
        minutesFrom,
        daysFrom: firstDay,
      },
    },
    ...[...days, ...minutes].map((candle): RawTick => ({ type: 'kline', candle })),
  ];
}

/**
 * Trades in id order from the minute that starts at `join`, and a watermark after each minute, `due`
 * ascending. The order is the same however late anybody asks: a recording is equal byte for byte.
 */
export function* liveTicks(
  symbol: SimulatedSymbol,
  join: EpochMs,
): Generator<DueTick, never, undefined> {
  let watermark: DueTick | undefined;
  for (let openTime = join; ; openTime = addMs(openTime, MINUTE_MS)) {
    for (const trade of symbol.trades(openTime)) {
      if (watermark !== undefined && watermark.due <= trade.tradeTime) {
        yield watermark;
        watermark = undefined;
      }
      const tick: RawTick = { type: 'aggTrade', trade: aggTradeOf(symbol.listing, trade) };
      yield { due: trade.tradeTime, tick };
    }
    if (watermark !== undefined) yield watermark;
    watermark = watermarkAfter(symbol, addMs(openTime, MINUTE_MS));
  }
}

function watermarkAfter(symbol: SimulatedSymbol, time: EpochMs): DueTick {
  return {
    due: addMs(time, WATERMARK_DELAY_MS),
    tick: {
      type: 'watermark',
      watermark: {
        symbol: symbol.listing.symbol,
        time,
        aggTradeId: symbol.nextAggTradeId(time) - 1,
      },
    },
  };
}
