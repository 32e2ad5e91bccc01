// What the simulated exchange answers when it is asked about closed minutes: candles from its own steps, which no trade was folded for, and the
// minute's trades again. Honest about what it is: the proof is against the simulation, and its source says so (I10).
import { type Evidence, KLINES_ASKED_MAX, type RepairRequest } from '../../core/market/evidence.ts';
import { type RawTick, REPAIR_PART_TRADES_MAX } from '../../core/market/raw-tick.ts';
import { addMs, type EpochMs, MINUTE_MS } from '../../core/market/time.ts';
import type { FeedEvent } from '../market-feed.ts';
import { klineOf } from './lot-candle.ts';
import { aggTradeOf } from './minute-trades.ts';
import type { SimulatedSymbol } from './simulated-symbol.ts';

/** The exchange's own candle of a minute that is over. */
export function closedMinute(
  symbol: SimulatedSymbol,
  openTime: EpochMs,
  via: 'stream' | 'rest',
): FeedEvent {
  const minute = symbol.minute(openTime, symbol.closeBefore(openTime));
  const evidence: Evidence = { type: 'kline', via, candle: klineOf(symbol.listing, '1m', minute) };
  return { type: 'evidence', evidence };
}

/** `openMinute`: what opens from there on is not over, and is not answered. */
export function* repairAnswers(
  symbol: SimulatedSymbol,
  request: RepairRequest,
  openMinute: EpochMs,
): Generator<FeedEvent, void, undefined> {
  switch (request.type) {
    case 'klines': {
      const most = addMs(request.from, KLINES_ASKED_MAX * MINUTE_MS);
      const to = Math.min(request.to, openMinute, most);
      for (let at = request.from; at < to; at = addMs(at, MINUTE_MS)) {
        yield at < symbol.listing.listedOn ? absent(symbol, at) : closedMinute(symbol, at, 'rest');
      }
      break;
    }
    case 'trades':
      if (request.openTime >= openMinute) return;
      if (request.openTime < symbol.listing.listedOn) yield absent(symbol, request.openTime);
      else yield* tradesAgain(symbol, request.openTime);
      break;
    case 'rounding':
      yield { type: 'ticks', ticks: [{ type: 'kline', candle: request.candle }] };
      break;
  }
}

function absent({ listing }: SimulatedSymbol, openTime: EpochMs): FeedEvent {
  return { type: 'evidence', evidence: { type: 'absent', symbol: listing.symbol, openTime } };
}

/** The group in one event, so that its parts stay in a row; then that it was sent. */
function* tradesAgain(
  { listing, ...symbol }: SimulatedSymbol,
  openTime: EpochMs,
): Generator<FeedEvent, void, undefined> {
  const trades = [...symbol.trades(openTime)].map((trade) => aggTradeOf(listing, trade));
  const parts = Math.max(1, Math.ceil(trades.length / REPAIR_PART_TRADES_MAX));
  const ticks = Array.from({ length: parts }, (_, part): RawTick => {
    const from = part * REPAIR_PART_TRADES_MAX;
    const own = trades.slice(from, from + REPAIR_PART_TRADES_MAX);
    return {
      type: 'repair',
      repair: { symbol: listing.symbol, openTime, part, parts, trades: own },
    };
  });
  yield { type: 'ticks', ticks };
  yield { type: 'evidence', evidence: { type: 'repaired', symbol: listing.symbol, openTime } };
}
