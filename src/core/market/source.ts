// Whose market this is. Every database and topic set carries one identity and refuses another (I10).

export type Source =
  | {
      readonly kind: 'binance' /** Host of the exchange, e.g. `binance.com`; a test exchange has its own. */;
      readonly host: string;
    }
  | {
      readonly kind: 'simulated';
      readonly seed: number;
      /** Mean rate a symbol where it was asked for: another rate is another market. */
      readonly tradesPerSecond?: number;
    }
  | {
      readonly kind: 'recording' /** Identity of what was recorded plus the file's name. */;
      readonly name: string;
    };

/** One text for each source: `binance:binance.com`, `simulated:7`, `simulated:7@100`, `recording:morning.ndjson`. */
export function sourceId(source: Source): string {
  switch (source.kind) {
    case 'binance':
      return `binance:${source.host}`;
    case 'simulated':
      return source.tradesPerSecond === undefined
        ? `simulated:${source.seed}`
        : `simulated:${source.seed}@${source.tradesPerSecond}`;
    case 'recording':
      return `recording:${source.name}`;
  }
}
