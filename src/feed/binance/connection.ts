// One connection to the exchange, for ever: one socket that serves and, while it is replaced, another beside it, so that a planned change
// loses nothing. Says which of its symbols are covered without a break. It reads no trade.
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock } from '../../core/market/time.ts';
import { type AttemptBudget, broken, INITIAL_BACK_OFF, isOffline, opened } from './back-off.ts';
import {
  type LifeEvent,
  type LifeLimits,
  STANDING,
  viewOf,
  wantsAnother,
} from './connection-life.ts';
import type { Frame } from './frames.ts';
import { createLink, type Link, type LinkEnd } from './link.ts';
import { connectionStreams, streamsOf } from './stream-plan.ts';
import type { Transport } from './transport.ts';

export type ConnectionState = 'connecting' | 'offline' | 'open' | 'stale';

export interface Connection {
  /** Runs until `signal` aborts. */
  run(): Promise<void>;
  state(): ConnectionState;
  /** One line where it is not simply open. */
  reason(): string | undefined;
  /** The symbols it carries from now on; its sockets subscribe to what is new and leave what is gone. */
  carry(symbols: readonly MarketSymbol[]): void;
  symbols(): readonly MarketSymbol[];
  /** All that the exchange sends of the symbol comes, since `onCovered` and without a break. */
  isCovering(symbol: MarketSymbol): boolean;
  pause(): void;
  resume(): void;
}

export interface ConnectionOptions {
  /** Base URLs without a path, in order of preference. */
  readonly webSocketUrls: readonly string[];
  readonly transport: Pick<Transport, 'openSocket'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly attempts: AttemptBudget;
  readonly limits: LifeLimits;
  readonly readFrame: (bytes: Uint8Array) => Frame;
  readonly onFrame: (frame: Frame, bytes: Uint8Array) => void;
  /** From now on the symbol's streams come without a break; what came before may be missing. */
  readonly onCovered: (symbol: MarketSymbol) => void;
  /** `state` or `reason`, or what is covered, may have changed. */
  readonly onState: () => void;
  /** What the user should know and nothing else tells. */
  readonly onTrouble: (reason: string) => void;
  readonly signal: AbortSignal;
}

export function createConnection(options: ConnectionOptions): Connection {
  const { webSocketUrls, signal, onState } = options;
  const links = new Set<Link>();
  const running = new Set<Promise<void>>();
  let carried: readonly MarketSymbol[] = [];
  const covered = new Set<MarketSymbol>();
  let backOff = INITIAL_BACK_OFF;
  let isPaused = false;
  let why: string | undefined;

  const states = () => [...links].map((link) => link.state());

  function open(): void {
    const link: Link = createLink({
      ...options,
      base: webSocketUrls[backOff.urlIndex % webSocketUrls.length] ?? '',
      backOff,
      onChange: (change) => changed(link, change),
      onServes: () => relieveOthers(link),
      onRefused: options.onTrouble,
    });
    links.add(link);
    link.carry(connectionStreams(carried));
    if (isPaused) link.pause();
    const run = link.run().then((end) => over(link, end));
    running.add(run);
    void run.then(() => running.delete(run));
  }

  function over(link: Link, { livedMs, isPlanned, reason }: LinkEnd): void {
    links.delete(link);
    if (signal.aborted) return;
    if (!isPlanned) {
      backOff = broken(backOff, livedMs, webSocketUrls.length);
      why = reason;
      options.onTrouble(reason);
    }
    review();
    onState();
    keepOpen();
  }

  function relieveOthers(serving: Link): void {
    for (const link of [...links]) if (link !== serving) link.relieve();
  }

  function changed(link: Link, change: LifeEvent | 'confirmed'): void {
    if (change === 'opened') backOff = opened(backOff);
    if (change === 'silent' || change === 'frozen') why = 'the exchange has fallen silent';
    review();
    onState();
    // What comes after its end, `over` decides: the back-off must know of it first.
    if (link.state() !== 'over') keepOpen();
  }

  /** Opens a socket where none serves or may come to serve. */
  function keepOpen(): void {
    if (!signal.aborted && wantsAnother(states())) open();
  }

  /** Which symbols are covered now, and which anew. */
  function review(): void {
    for (const symbol of carried) {
      const isNow = [...links].some(
        (link) => STANDING[link.state()].covers && streamsOf(symbol).every(link.isConfirmed),
      );
      if (!isNow) covered.delete(symbol);
      else if (!covered.has(symbol)) {
        covered.add(symbol);
        options.onCovered(symbol);
      }
    }
  }

  return {
    async run() {
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => resolve(), { once: true });
      keepOpen();
      if (!signal.aborted) await promise;
      await Promise.all(running);
    },
    state() {
      const view = viewOf(states());
      if (view !== 'none') return view;
      return isOffline(backOff, webSocketUrls.length) ? 'offline' : 'connecting';
    },
    reason: () => (viewOf(states()) === 'open' ? undefined : why),
    carry(symbols) {
      carried = symbols;
      const kept = new Set(symbols);
      for (const symbol of covered) if (!kept.has(symbol)) covered.delete(symbol);
      for (const link of links) link.carry(connectionStreams(symbols));
      // One that was removed a moment ago may still be subscribed to.
      review();
    },
    symbols: () => carried,
    isCovering: (symbol) => covered.has(symbol),
    pause() {
      isPaused = true;
      for (const link of links) link.pause();
    },
    resume() {
      isPaused = false;
      for (const link of links) link.resume();
    },
  };
}
