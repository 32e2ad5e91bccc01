// What a frame of the exchange's combined stream says. Pure. Whatever is not understood is a value, never a throw.
import { z } from 'zod';
import type { AggTrade } from '../../core/market/agg-trade.ts';
import type { Candle } from '../../core/market/candle.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { aggTradeEventSchema } from '../../protocol/agg-trade-record.ts';
import { AggTradeScanner } from '../../protocol/agg-trade-scanner.ts';
import type { TimesFault } from './frame-times.ts';
import { readClosedMinute } from './kline-event.ts';

export type Frame =
  /** A trade of its own: may be kept. */
  | { readonly type: 'trade'; readonly trade: AggTrade }
  /** The exchange's closed 1m candle, with its ids. */
  | { readonly type: 'closed-minute'; readonly candle: Candle }
  /** Answer to a control message; `error` where it was refused. */
  | { readonly type: 'reply'; readonly id: number | undefined; readonly error?: string }
  /** The exchange will close this connection soon. */
  | { readonly type: 'shutdown' }
  /** Understood and of no use: open klines, other intervals, events of other kinds. */
  | { readonly type: 'ignored' }
  | { readonly type: 'rejected'; readonly reason: string };

const IGNORED: Frame = { type: 'ignored' };

const combinedSchema = z.object({ stream: z.string(), data: z.record(z.string(), z.unknown()) });
const replySchema = z.object({
  id: z.number().int().nullish(),
  result: z.unknown().optional(),
  code: z.number().optional(),
  msg: z.string().optional(),
});
/** Enough to tell which kline it is; a closed minute is then read whole. */
const klineEventSchema = z.object({ k: z.object({ i: z.string(), x: z.boolean() }) });

/** Reads frames one after the other. `symbols`: those subscribed to; a trade of another is rejected, and one whose times are faulty. */
export function createFrameReader(
  symbols: ReadonlySet<MarketSymbol>,
  timesFault: TimesFault = () => undefined,
): (bytes: Uint8Array) => Frame {
  const scanner = new AggTradeScanner();
  return (bytes) => {
    if (scanner.scanFrame(bytes)) return asTrade({ ...scanner.trade });
    return readJson(new TextDecoder().decode(bytes));
  };

  function asTrade(trade: AggTrade): Frame {
    if (!symbols.has(trade.symbol)) return foreign(trade.symbol);
    const fault = timesFault(trade.eventTime, trade.tradeTime);
    return fault === undefined ? { type: 'trade', trade } : rejected(fault);
  }

  function readJson(text: string): Frame {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return rejected('Expected JSON');
    }
    const combined = combinedSchema.safeParse(value);
    return combined.success ? readEvent(combined.data.data) : readReply(value);
  }

  function readEvent(data: Record<string, unknown>): Frame {
    switch (data['e']) {
      case 'aggTrade': {
        const event = aggTradeEventSchema.safeParse(data);
        return event.success
          ? asTrade(event.data)
          : rejectedBy('an aggTrade event', event.error.issues[0]);
      }
      case 'kline':
        return readKline(data);
      case 'serverShutdown':
        return { type: 'shutdown' };
      default:
        // Events of kinds unknown here are no fault: the exchange adds some every year.
        return typeof data['e'] === 'string' ? IGNORED : rejected('Expected an event with "e"');
    }
  }

  function readKline(data: unknown): Frame {
    const event = klineEventSchema.safeParse(data);
    if (!event.success) return rejectedBy('a kline event', event.error.issues[0]);
    const { i, x } = event.data.k;
    if (!x || i !== '1m') return IGNORED;
    const read = readClosedMinute(data);
    if (read.type === 'rejected') return rejectedBy('a closed 1m kline', read.issue);
    const { candle, sentAt } = read;
    if (!symbols.has(candle.symbol)) return foreign(candle.symbol);
    const fault = timesFault(sentAt, candle.closeTime);
    return fault === undefined ? { type: 'closed-minute', candle } : rejected(fault);
  }
}

function readReply(value: unknown): Frame {
  if (typeof value === 'object' && value !== null && 'e' in value) {
    return value.e === 'serverShutdown' ? { type: 'shutdown' } : IGNORED;
  }
  const reply = replySchema.safeParse(value);
  if (!reply.success || !(reply.data.code !== undefined || 'result' in reply.data)) {
    return rejected('Expected a stream frame or a reply');
  }
  const { id, code, msg } = reply.data;
  const answer = { type: 'reply', id: id ?? undefined } as const;
  return code === undefined ? answer : { ...answer, error: `${code}: ${msg ?? ''}` };
}

function foreign(symbol: MarketSymbol): Frame {
  return rejected(`Expected a symbol subscribed to, was "${symbol}"`);
}

function rejected(reason: string): Frame {
  return { type: 'rejected', reason };
}

function rejectedBy(expected: string, issue: z.core.$ZodIssue | undefined): Frame {
  return rejected(`Expected ${expected} (${issue?.path.join('.')}: ${issue?.message})`);
}
