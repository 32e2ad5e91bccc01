// The JSON of `listings` and `symbols`: what the exchange lists, and what the user wants of it.
import { z } from 'zod';
import type { Listing, SymbolWish } from '../core/market/listing.ts';
import { parseJson, symbolField, timeField } from './candle-record.ts';

const listingSchema = z.object({
  symbol: symbolField,
  baseAsset: z.string(),
  quoteAsset: z.string(),
  status: z.string(),
}) satisfies z.ZodType<Listing>;

const symbolWishSchema = z.object({
  symbol: symbolField,
  wanted: z.boolean(),
  at: timeField,
}) satisfies z.ZodType<SymbolWish>;

export function encodeListing(listing: Listing): string {
  return JSON.stringify(listing);
}

/** @throws DecodeError */
export function decodeListing(text: string): Listing {
  return parseJson(listingSchema, text, 'a listing');
}

export function encodeSymbolWish(wish: SymbolWish): string {
  return JSON.stringify(wish);
}

/** @throws DecodeError */
export function decodeSymbolWish(text: string): SymbolWish {
  return parseJson(symbolWishSchema, text, 'a wish for a symbol');
}
