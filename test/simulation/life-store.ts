// The kept store as one life of the product has it: it fails and is slow by the weather, and a dead process reaches it no more.
import { type CandleStore, StoreError } from '../../src/store/candle-store.ts';
import type { Life } from './life.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { Weather } from './weather.ts';

export interface LifeStoreOptions {
  readonly kept: CandleStore;
  readonly life: Life;
  readonly time: VirtualTime;
  readonly weather: Weather;
  /** Each write that took effect. */
  readonly onWrite: (count: number) => void;
}

export function lifeStore({ kept, life, time, weather, onWrite }: LifeStoreOptions): CandleStore {
  const never = <T>() => new Promise<T>(() => {});

  async function read<T>(act: () => Promise<T>): Promise<T> {
    return life.leaves('read') ? act() : never();
  }

  /** Takes effect half way through, so that a process may die before it, or before it hears of it. */
  async function write<T>(count: number, act: () => Promise<T>): Promise<T> {
    if (!life.leaves('write')) return never();
    if (weather.store === 'fails') {
      throw new StoreError('unwritable', 'The disk is full (simulated): make room');
    }
    const halfMs = weather.storeSlowMs / 2;
    if (halfMs > 0) await new Promise<void>((resolve) => void time.after(halfMs, resolve));
    if (!life.isAlive()) return never();
    const done = await act();
    onWrite(count);
    life.hasLeft('write');
    if (halfMs > 0) await new Promise<void>((resolve) => life.arrive(halfMs, resolve));
    return life.isAlive() ? done : never();
  }

  return {
    write: (candles, trades = []) => write(candles.length, () => kept.write(candles, trades)),
    trades: {
      read: (query) => read(() => kept.trades.read(query)),
      idAt: (symbol, at, side) => read(() => kept.trades.idAt(symbol, at, side)),
      prune: (pruning) => write(0, () => kept.trades.prune(pruning)),
    },
    read: (query) => read(() => kept.read(query)),
    lastOpenTime: (symbol, interval) => read(() => kept.lastOpenTime(symbol, interval)),
    symbols: () => read(() => kept.symbols()),
    bytes: () => read(() => kept.bytes()),
    holes: (query) => read(() => kept.holes(query)),
    prune: (interval, before) => write(0, () => kept.prune(interval, before)),
    writeAudits: (audits) => write(0, () => kept.writeAudits(audits)),
    readAudits: (query) => read(() => kept.readAudits(query)),
    countAudits: (query) => read(() => kept.countAudits(query)),
    writeSymbolWish: (wish) => write(0, () => kept.writeSymbolWish(wish)),
    symbolWishes: () => read(() => kept.symbolWishes()),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
