// Folds trades into one open window, exactly and without garbage. It knows no time and no order of windows: its owner does.
import type { AggTrade } from '../market/agg-trade.ts';
import { priceOf, quantityOf } from '../market/agg-trade.ts';
import type { Candle } from '../market/candle.ts';
import { DECIMAL_ONE, type Decimal, decimalOf } from '../market/decimal.ts';
import { closeTimeOf, type Interval } from '../market/interval.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import type { EpochMs } from '../market/time.ts';
import type { WindowState } from './aggregation-state.ts';

const ONE = 100_000_000;
/** A product of two whole doubles above this may be inexact, or its sums soon be: it takes the BigInt way. */
const EXACT_PRODUCT_MAX = 2 ** 50;
/** Sums above this are moved out before they can pass 2^53. */
const SPILL_ABOVE = 2 ** 52;

/**
 * A trade's price × quantity truncated to 8 places, once for all windows it goes into:
 * `integer` + `fraction` × 1e-8 (fraction below 2^53, not carried), or `wide` where doubles would not be exact.
 */
export class QuoteValue {
  integer = 0;
  fraction = 0;
  wide: Decimal = 0n;

  set(trade: AggTrade): void {
    const { priceInteger, priceFraction, quantityInteger, quantityFraction } = trade;
    const whole = priceInteger * quantityInteger;
    const left = priceInteger * quantityFraction;
    const right = priceFraction * quantityInteger;
    const small = priceFraction * quantityFraction;
    if (
      whole > EXACT_PRODUCT_MAX ||
      left > EXACT_PRODUCT_MAX ||
      right > EXACT_PRODUCT_MAX ||
      small > Number.MAX_SAFE_INTEGER
    ) {
      this.integer = 0;
      this.fraction = 0;
      this.wide = (priceOf(trade) * quantityOf(trade)) / DECIMAL_ONE;
      return;
    }
    this.integer = whole;
    // The quotient is below 2^27, where doubles lie closer than 1e-8: none rounds up to a whole number.
    this.fraction = left + right + Math.floor(small / ONE);
    this.wide = 0n;
  }
}

/** One window's sums. `trades` is the number of single trades; 0 means nothing was added yet. */
export class CandleAccumulator {
  trades = 0;
  /** A trade of this window is known to be missing. */
  incomplete = false;
  eventTime = 0;
  private openInteger = 0;
  private openFraction = 0;
  private highInteger = 0;
  private highFraction = 0;
  private lowInteger = 0;
  private lowFraction = 0;
  private closeInteger = 0;
  private closeFraction = 0;
  private firstTradeId = -1;
  private lastTradeId = -1;
  private volumeInteger = 0;
  private volumeFraction = 0;
  private takerInteger = 0;
  private takerFraction = 0;
  private quoteInteger = 0;
  private quoteFraction = 0;
  private takerQuoteInteger = 0;
  private takerQuoteFraction = 0;
  private volumeWide: Decimal = 0n;
  private takerWide: Decimal = 0n;
  private quoteWide: Decimal = 0n;
  private takerQuoteWide: Decimal = 0n;

  reset(): void {
    this.trades = 0;
    this.incomplete = false;
    this.eventTime = 0;
    this.firstTradeId = -1;
    this.lastTradeId = -1;
    this.volumeInteger = 0;
    this.volumeFraction = 0;
    this.takerInteger = 0;
    this.takerFraction = 0;
    this.quoteInteger = 0;
    this.quoteFraction = 0;
    this.takerQuoteInteger = 0;
    this.takerQuoteFraction = 0;
    this.volumeWide = 0n;
    this.takerWide = 0n;
    this.quoteWide = 0n;
    this.takerQuoteWide = 0n;
  }

  state(symbol: MarketSymbol, interval: Interval, openTime: number): WindowState {
    const { incomplete } = this;
    if (this.trades === 0) return { openTime, incomplete, candle: undefined };
    // Whether the window is complete beyond its own trades is its owner's knowledge.
    const candle = this.candle(symbol, interval, openTime as EpochMs, true);
    return { openTime, incomplete, candle };
  }

  /** The sums of a window as another process had them; of their parts only the sums matter. */
  restore({ candle, incomplete }: WindowState): void {
    this.reset();
    this.incomplete = incomplete;
    if (candle === undefined) return;
    this.trades = candle.trades;
    this.firstTradeId = candle.firstTradeId ?? -1;
    this.lastTradeId = candle.lastTradeId ?? -1;
    [this.openInteger, this.openFraction] = partsOf(candle.open);
    [this.highInteger, this.highFraction] = partsOf(candle.high);
    [this.lowInteger, this.lowFraction] = partsOf(candle.low);
    [this.closeInteger, this.closeFraction] = partsOf(candle.close);
    this.volumeWide = candle.volume;
    this.takerWide = candle.takerBuyVolume;
    this.quoteWide = candle.quoteVolume;
    this.takerQuoteWide = candle.takerBuyQuoteVolume;
  }

  /** Adds a trade whose id is above all before it: open is the first one's price, close the last one's. */
  add(trade: AggTrade, quote: QuoteValue): void {
    const { priceInteger, priceFraction } = trade;
    if (this.trades === 0) {
      this.openInteger = this.highInteger = this.lowInteger = priceInteger;
      this.openFraction = this.highFraction = this.lowFraction = priceFraction;
      this.firstTradeId = trade.firstTradeId;
    } else if (
      priceInteger > this.highInteger ||
      (priceInteger === this.highInteger && priceFraction > this.highFraction)
    ) {
      this.highInteger = priceInteger;
      this.highFraction = priceFraction;
    } else if (
      priceInteger < this.lowInteger ||
      (priceInteger === this.lowInteger && priceFraction < this.lowFraction)
    ) {
      this.lowInteger = priceInteger;
      this.lowFraction = priceFraction;
    }
    this.closeInteger = priceInteger;
    this.closeFraction = priceFraction;
    this.lastTradeId = trade.lastTradeId;
    this.eventTime = trade.eventTime;
    this.trades += trade.lastTradeId - trade.firstTradeId + 1;
    this.volumeInteger += trade.quantityInteger;
    this.volumeFraction += trade.quantityFraction;
    this.quoteInteger += quote.integer;
    this.quoteFraction += quote.fraction;
    if (!trade.buyerIsMaker) {
      this.takerInteger += trade.quantityInteger;
      this.takerFraction += trade.quantityFraction;
      this.takerQuoteInteger += quote.integer;
      this.takerQuoteFraction += quote.fraction;
    }
    if (quote.wide !== 0n) this.addWide(quote.wide, trade.buyerIsMaker);
    if (
      this.quoteFraction > SPILL_ABOVE ||
      this.quoteInteger > SPILL_ABOVE ||
      this.volumeInteger > SPILL_ABOVE
    ) {
      this.spill();
    }
  }

  private addWide(value: Decimal, buyerIsMaker: boolean): void {
    this.quoteWide += value;
    if (!buyerIsMaker) this.takerQuoteWide += value;
  }

  /** The takers' sums are parts of the whole ones, so these never spill later. `volumeFraction` would need 45 million trades. */
  private spill(): void {
    this.volumeWide += decimalOf(this.volumeInteger, this.volumeFraction);
    this.takerWide += decimalOf(this.takerInteger, this.takerFraction);
    this.quoteWide += decimalOf(this.quoteInteger, this.quoteFraction);
    this.takerQuoteWide += decimalOf(this.takerQuoteInteger, this.takerQuoteFraction);
    this.volumeInteger = this.volumeFraction = this.takerInteger = this.takerFraction = 0;
    this.quoteInteger = this.quoteFraction = 0;
    this.takerQuoteInteger = this.takerQuoteFraction = 0;
  }

  /** Price of the last trade added. Only where `trades` > 0. */
  close(): Decimal {
    return decimalOf(this.closeInteger, this.closeFraction);
  }

  /** The window as a candle, revision 0. Only where `trades` > 0. */
  candle(
    symbol: MarketSymbol,
    interval: Interval,
    openTime: EpochMs,
    complete: boolean,
    revision = 0,
  ): Candle {
    return {
      symbol,
      interval,
      openTime,
      closeTime: closeTimeOf(interval, openTime),
      open: decimalOf(this.openInteger, this.openFraction),
      high: decimalOf(this.highInteger, this.highFraction),
      low: decimalOf(this.lowInteger, this.lowFraction),
      close: decimalOf(this.closeInteger, this.closeFraction),
      volume: decimalOf(this.volumeInteger, this.volumeFraction) + this.volumeWide,
      quoteVolume: decimalOf(this.quoteInteger, this.quoteFraction) + this.quoteWide,
      trades: this.trades,
      takerBuyVolume: decimalOf(this.takerInteger, this.takerFraction) + this.takerWide,
      takerBuyQuoteVolume:
        decimalOf(this.takerQuoteInteger, this.takerQuoteFraction) + this.takerQuoteWide,
      firstTradeId: this.firstTradeId,
      lastTradeId: this.lastTradeId,
      revision,
      complete: complete && !this.incomplete,
      source: 'trades',
    };
  }
}

function partsOf(price: Decimal): [integer: number, fraction: number] {
  return [Number(price / DECIMAL_ONE), Number(price % DECIMAL_ONE)];
}
