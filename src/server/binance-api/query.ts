// Query parameters read as the exchange reads them: the same refusals, with the same codes, in the same order.
import { z } from 'zod';
import { type Interval, isInterval } from '../../core/market/interval.ts';
import { type MarketSymbol, parseMarketSymbol } from '../../core/market/symbol.ts';
import { type EpochMs, epochMs } from '../../core/market/time.ts';
import { binanceErrors } from './binance-error.ts';

export const LIMIT_DEFAULT = 500;
/** More is not refused but cut to this, as the exchange does. */
export const LIMIT_MAX = 1_000;

const DIGITS = '^[0-9]{1,20}$';
const SYMBOL = '^[A-Z0-9-_.]{1,20}$';
/** From here on a time is in microseconds: in milliseconds it would be the year 5138. */
const MICROSECONDS_FROM = 100_000_000_000_000;

const querySchema = z.record(z.string(), z.string());

/** The parameters of one request; each read is remembered, so that what nobody reads can be refused. */
export class BinanceQuery {
  readonly #values: Readonly<Record<string, string>>;
  readonly #read = new Set<string>();

  /** @throws BinanceError where a parameter was sent twice. */
  constructor(query: unknown) {
    const result = querySchema.safeParse(query);
    if (!result.success) throw binanceErrors.duplicateParameters();
    this.#values = result.data;
  }

  /** @throws BinanceError where it was sent without a value. */
  text(name: string): string | undefined {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    if (value === '') throw binanceErrors.empty(name);
    this.#read.add(name);
    return value;
  }

  /** A mandatory symbol of `known`. @throws BinanceError */
  symbol(known: readonly MarketSymbol[]): MarketSymbol {
    const text = this.text('symbol');
    if (text === undefined) throw binanceErrors.missing('symbol');
    return knownSymbol(text, known);
  }

  /** A mandatory interval. @throws BinanceError */
  interval(known: readonly Interval[]): Interval {
    const text = this.text('interval');
    if (text === undefined) throw binanceErrors.missing('interval');
    if (!isInterval(text) || !known.includes(text)) throw binanceErrors.badInterval();
    return text;
  }

  /** @throws BinanceError where it is not a whole number. */
  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!new RegExp(DIGITS).test(text)) throw binanceErrors.illegalCharacters(name, DIGITS);
    const value = Number(text);
    if (!Number.isSafeInteger(value)) throw binanceErrors.invalid(name);
    return value;
  }

  limit(): number {
    const limit = this.number('limit') ?? LIMIT_DEFAULT;
    if (limit < 1) throw binanceErrors.invalid('limit');
    return Math.min(limit, LIMIT_MAX);
  }

  /** Milliseconds, also where microseconds were sent; `round` says to which side. @throws BinanceError */
  time(name: string, round: 'up' | 'down'): EpochMs | undefined {
    const value = this.number(name);
    if (value === undefined) return undefined;
    if (value < MICROSECONDS_FROM) return epochMs(value);
    return epochMs(round === 'up' ? Math.ceil(value / 1_000) : Math.floor(value / 1_000));
  }

  /** @throws BinanceError where something was sent that nobody has read. */
  done(): void {
    const sent = Object.keys(this.#values).length;
    if (sent === this.#read.size) return;
    throw this.#read.size === 0
      ? binanceErrors.tooManyParameters(sent)
      : binanceErrors.unread(this.#read.size, sent);
  }
}

/** @throws BinanceError where `text` cannot be a symbol (−1100) or is none of `known` (−1121). */
export function knownSymbol(text: string, known: readonly MarketSymbol[]): MarketSymbol {
  const symbol = parseMarketSymbol(text);
  if (symbol === undefined || symbol !== text) {
    throw binanceErrors.illegalCharacters('symbol', SYMBOL);
  }
  if (!known.includes(symbol)) throw binanceErrors.badSymbol();
  return symbol;
}
