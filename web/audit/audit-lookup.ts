// What the server says of the verdict on a candle the reader dwells on. Fetches seldom: one candle at a time, after a pause, remembered.
import type { CandleRow } from '../../src/protocol/browser.ts';
import type { FetchedAudit } from './fetch-audit.ts';

/** A hand that passes over candles asks for none of them. */
export const DWELL_MS = 160;
/** Answers remembered; of more the oldest is forgotten. */
export const ANSWERS_MAX = 200;

export type Lookup =
  | { readonly state: 'loading' }
  | { readonly state: 'failed'; readonly fault: string }
  | { readonly state: 'loaded'; readonly audit: FetchedAudit | undefined };

export interface AuditLookup {
  /** The answer so far; asks for it where there is none and the reader stays. `onAnswer` is called when it comes. */
  at(symbol: string, row: CandleRow): Lookup;
  close(): void;
}

export function auditLookup(options: {
  readonly fetch: (
    minute: { readonly symbol: string; readonly openTime: number },
    signal: AbortSignal,
  ) => Promise<FetchedAudit | undefined>;
  readonly onAnswer: () => void;
}): AuditLookup {
  const answers = new Map<string, Lookup>();
  let wanted: string | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking = new AbortController();

  function remember(key: string, answer: Lookup): void {
    answers.set(key, answer);
    const [oldest] = answers.keys();
    if (answers.size > ANSWERS_MAX && oldest !== undefined) answers.delete(oldest);
    options.onAnswer();
  }

  async function ask(key: string, symbol: string, openTime: number): Promise<void> {
    const { signal } = asking;
    try {
      const audit = await options.fetch({ symbol, openTime }, signal);
      if (!signal.aborted) remember(key, { state: 'loaded', audit });
    } catch (error) {
      if (signal.aborted) return;
      const fault = error instanceof Error ? error.message : String(error);
      remember(key, { state: 'failed', fault });
    }
  }

  return {
    at(symbol, row) {
      // Another revision or another verdict is another question.
      const key = `${symbol} ${row[0]} ${row[12]} ${row[13]}`;
      const known = answers.get(key);
      if (wanted !== key) {
        // A fault is asked about again when the reader comes back.
        if (known?.state === 'failed') answers.delete(key);
        wanted = key;
        clearTimeout(timer);
        asking.abort();
        asking = new AbortController();
        if (known?.state !== 'loaded') {
          // A fault is told through the answer.
          timer = setTimeout(() => void ask(key, symbol, row[0]), DWELL_MS);
        }
      }
      return answers.get(key) ?? { state: 'loading' };
    },
    close() {
      clearTimeout(timer);
      asking.abort();
    },
  };
}
