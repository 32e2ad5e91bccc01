// Every fault of the chaos suite by its name: what happens to the exchange, the network, the machine or the product. Seeded by the world's
// random numbers; changes nothing else.
import { delayFrames, doubleFrames, dropFrames, onStreams } from '../fake-exchange/faults.ts';
import type { ChaosFault } from './fault-world.ts';
import { farInTime, garbled, hugeFrame } from './garbage.ts';
import { REST_FAULTS } from './rest-faults.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const TRADES = /@aggTrade$/;
const FRAMES = /@(aggTrade|kline_1m)$/;

const SOCKET_FAULTS = {
  none: { plan: () => undefined },
  resets: {
    plan: ({ exchange, spells }) =>
      spells(12, [0, 0], { begin: () => exchange.resetConnections() }),
  },
  'clean closes': {
    plan: ({ exchange, spells, random }) =>
      spells(8, [0, 0], {
        begin: () => exchange.closeConnections(random() < 0.5 ? 1000 : 1001, 'going away'),
      }),
  },
  silence: {
    plan: ({ exchange, spells }) =>
      spells(2, [3 * SECOND, 15 * SECOND], {
        begin: () => exchange.freeze(),
        end: () => exchange.unfreeze(),
      }),
  },
  'no network': {
    plan: ({ exchange, spells }) =>
      spells(2, [2 * SECOND, 8 * SECOND], {
        begin: () => exchange.freeze('everything'),
        end: () => {
          exchange.unfreeze();
          exchange.resetConnections();
        },
      }),
  },
  dropped: {
    plan: ({ onFrame, share, random }) =>
      onFrame(onStreams(FRAMES, dropFrames(0.02 * share, random))),
  },
  doubled: {
    plan: ({ onFrame, share, random }) =>
      onFrame(onStreams(FRAMES, doubleFrames(0.05 * share, random))),
  },
  reordered: {
    plan: ({ onFrame, share, random }) =>
      onFrame(onStreams(FRAMES, delayFrames(0.03 * share, 400, random))),
  },
  delayed: {
    plan: ({ onFrame, share, random }) =>
      onFrame(onStreams(FRAMES, delayFrames(0.01 * share, 20 * SECOND, random))),
  },
  malformed: {
    plan: (world) => {
      const { onFrame, share, random, spells } = world;
      const isOne = (probability: number) => random() < probability * share;
      onFrame(onStreams(FRAMES, (frame) => (isOne(0.01) ? garbled(frame, random) : [frame])));
      let huge = 0;
      spells(2, [0, 0], {
        begin: () => {
          huge += 1;
        },
      });
      onFrame((frame) => {
        if (huge === 0) return [frame];
        huge -= 1;
        return hugeFrame(frame);
      });
    },
  },
  'far times': {
    plan: ({ onFrame, share, random }) =>
      onFrame(
        onStreams(TRADES, (frame) =>
          random() < 0.002 * share ? farInTime(frame, random) : [frame],
        ),
      ),
  },
  refusal: {
    plan: ({ exchange, spells, random }) =>
      spells(3, [1 * SECOND, 6 * SECOND], {
        async begin() {
          const status = [429, 503, 403][Math.floor(random() * 3)];
          if (random() < 0.5) await exchange.stop();
          else {
            exchange.faults.onUpgrade = () => status;
            exchange.resetConnections();
          }
        },
        async end() {
          exchange.faults.onUpgrade = undefined;
          await exchange.start();
        },
      }),
  },
  rotation: { lifetimeMs: 6 * SECOND, plan: ({ injected }) => injected(6) },
  'server shutdown': {
    plan: ({ exchange, spells }) => {
      let announcedAt = 0;
      spells(4, [0.2 * SECOND, 4 * SECOND], {
        begin: () => {
          announcedAt = exchange.now();
          exchange.announceShutdown();
        },
        end: () => exchange.closeConnections(1001, 'shutting down', announcedAt),
      });
    },
  },
} as const satisfies Readonly<Record<string, ChaosFault>>;

const MACHINE_FAULTS = {
  'kill -9': {
    plan: ({ keeper, spells }) => spells(4, [0, 3 * SECOND], { begin: (ms) => keeper.kill(ms) }),
  },
  SIGSTOP: {
    plan: ({ keeper, spells }) =>
      spells(2, [2 * SECOND, 10 * SECOND], { begin: (ms) => keeper.pause(ms) }),
  },
  // As if our clock were set back in the middle of it.
  skew: {
    plan: ({ clock, random, spells, share }) =>
      spells(2, [0, 0], {
        begin: () => clock.step(Math.round(random() * MINUTE * share)),
      }),
  },
  'full disk': {
    needsDisk: true,
    plan: ({ disk, keeper, spells }) =>
      spells(2, [3 * SECOND, 10 * SECOND], {
        begin: () => disk.fill(keeper.pid()),
        end: () => disk.free(keeper.pid()),
      }),
  },
  'read-only directory': {
    needsDisk: true,
    mayEnd: /check that its folder exists, is writable/,
    plan: ({ disk, keeper, spells }) =>
      spells(2, [3 * SECOND, 5 * SECOND], {
        begin: (ms) =>
          keeper.kill(200, async () => {
            if (!(await disk.setReadOnly(true))) return;
            setTimeout(() => void disk.setReadOnly(false), ms);
          }),
      }),
  },
} as const satisfies Readonly<Record<string, ChaosFault>>;

const ALONE = { ...SOCKET_FAULTS, ...REST_FAULTS, ...MACHINE_FAULTS } as const;

/** Longer than the product fetches trades for: klines close the minutes in between, and the trades join again. */
const AWAY_MS = 17 * MINUTE;

const LONG_FAULTS = {
  'long outage': {
    skipMs: AWAY_MS,
    plan: ({ at, keeper, clock, injected }) =>
      at(0.4, async () => {
        injected();
        await keeper.kill(500, async () => clock.step(AWAY_MS));
      }),
  },
} as const satisfies Readonly<Record<string, ChaosFault>>;

export type FaultName = keyof typeof ALONE | keyof typeof LONG_FAULTS | 'all';

/** Together each acts less: so that there is a market left between them. */
export const SHARE_OF_ALL = 0.25;

const all: ChaosFault = {
  needsDisk: true,
  lifetimeMs: 15 * SECOND,
  mayEnd: /check that its folder exists, is writable|Expected JSON|refuses this address/,
  plan: (world) => {
    for (const fault of Object.values<ChaosFault>(ALONE)) fault.plan(world);
  },
};

export const FAULTS: Readonly<Record<FaultName, ChaosFault>> = { ...ALONE, ...LONG_FAULTS, all };

export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];
