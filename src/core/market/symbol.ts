// Names of markets, as the exchange writes them (upper case; not only ASCII letters exist there).

declare const brand: unique symbol;

/** An exchange symbol in upper case, e.g. `BTCUSDT`. */
export type MarketSymbol = string & { readonly [brand]: 'MarketSymbol' };

export const SYMBOL_LENGTH_MAX = 40;

/**
 * Symbols followed at once. All that Binance trades (some 1,500) and room beside; at 0.7 MiB a symbol and some
 * 14 of the 6,000 request weight a minute for its start that is 1.4 GiB and 6 minutes: beyond it one process is the wrong tool.
 */
export const SYMBOLS_MAX = 2_000;

/** Letters and digits of any script plus `_ . -`: what Binance allows, and nothing that breaks a URL, path or stream name. */
const FORM = /^[\p{L}\p{N}_.-]+$/u;

/** `text` as a symbol, upper-cased; undefined where it cannot be one. */
export function parseMarketSymbol(text: string): MarketSymbol | undefined {
  if (text.length === 0 || text.length > SYMBOL_LENGTH_MAX || !FORM.test(text)) return undefined;
  return text.toUpperCase() as MarketSymbol;
}

/** @throws RangeError where `text` cannot be a symbol. */
export function marketSymbol(text: string): MarketSymbol {
  const symbol = parseMarketSymbol(text);
  if (symbol === undefined)
    throw new RangeError(`Expected a symbol such as BTCUSDT, was "${text}"`);
  return symbol;
}
