// The faults of the chaos suite that REST answers with. Each keeps what the exchange promises: Retry-After with 429 and 418.
import type { RestResponse } from '../fake-exchange/rest.ts';
import type { ChaosFault, FaultWorld } from './fault-world.ts';

const SECOND = 1_000;
/** Requests already on their way when the first refusal comes: so many are under way at once, and on a starved machine they take so long. */
const ON_THE_WAY_MAX = 8;
const ON_THE_WAY_MS = 2_000;

const HTML: RestResponse = {
  status: 200,
  headers: { 'Content-Type': 'text/html' },
  body: '<html><head><title>Sign in to the hotel’s network</title></head><body></body></html>',
};
const FORBIDDEN: RestResponse = { ...HTML, status: 403, body: '<html>Request blocked.</html>' };
const FAILED: RestResponse = {
  status: 500,
  headers: { 'Content-Type': 'application/json' },
  body: '{"code":-1000,"msg":"An unknown error occurred while processing the request."}',
};

/** Answers `answer` to everything, in some spells. */
function spellsOf(
  count: number,
  ms: readonly [number, number],
  answer: RestResponse | 'hang',
  world: FaultWorld,
): void {
  let isOn = 0;
  world.onRequest(() => (isOn > 0 ? answer : undefined));
  world.spells(count, ms, {
    begin: () => {
      isOn += 1;
    },
    end: () => {
      isOn -= 1;
    },
  });
}

/** A refusal with Retry-After; who asks again before that has broken the exchange's rule. */
function refusals(status: 418 | 429, seconds: readonly [number, number], world: FaultWorld): void {
  let [refusedAt, until, launch, refused] = [0, 0, 0, 0];
  world.onRequest(({ path }) => {
    const now = performance.now();
    if (now >= until) return undefined;
    // It knows when the first refusal has come, which may be told to take its time.
    const knownAt = now + (world.exchange.faults.restDelayMs ?? 0);
    if (refusedAt === 0 || launch !== world.keeper.launches()) {
      refusedAt = knownAt;
      refused = 0;
    }
    launch = world.keeper.launches();
    refused += 1;
    // Stopped, it reads no refusal.
    const isLate = now > Math.max(refusedAt, world.keeper.resumedAt()) + ON_THE_WAY_MS;
    if (isLate || refused > ON_THE_WAY_MAX)
      world.breach(`asked ${path} while told to wait (${status})`);
    const headers = {
      'Content-Type': 'application/json',
      'Retry-After': String(Math.ceil((until - now) / SECOND)),
    };
    return { status, headers, body: '{"code":-1003,"msg":"Too many requests."}' };
  });
  world.spells(status === 429 ? 4 : 2, [seconds[0] * SECOND, seconds[1] * SECOND], {
    begin: (ms) => {
      refusedAt = 0;
      until = performance.now() + ms;
    },
  });
}

export const REST_FAULTS = {
  'REST 429': { plan: (world) => refusals(429, [1, 3], world) },
  'REST 418': { plan: (world) => refusals(418, [3, 8], world) },
  'REST 500': {
    plan: (world) => {
      const { onRequest, random, share } = world;
      onRequest(() => (random() < 0.3 * share ? FAILED : undefined));
      spellsOf(2, [1 * SECOND, 5 * SECOND], FAILED, world);
    },
  },
  'REST time-out': { plan: (world) => spellsOf(2, [0.5 * SECOND, 3 * SECOND], 'hang', world) },
  'REST HTML': {
    mayEnd: /Expected JSON|refuses this address/,
    plan: (world) => {
      spellsOf(2, [1 * SECOND, 4 * SECOND], HTML, world);
      spellsOf(2, [1 * SECOND, 4 * SECOND], FORBIDDEN, world);
    },
  },
  // By the exchange's clock: the product trusts that REST is less than 10 s behind.
  'REST lag': {
    plan: ({ exchange, spells, random }) =>
      spells(4, [3 * SECOND, 8 * SECOND], {
        begin: () => {
          exchange.faults.restLagMs = 1 * SECOND + random() * 7 * SECOND;
        },
        end: () => {
          exchange.faults.restLagMs = undefined;
        },
      }),
  },
  'REST slow': {
    plan: ({ exchange, spells }) =>
      spells(3, [2 * SECOND, 8 * SECOND], {
        begin: () => {
          exchange.faults.restDelayMs = 800;
        },
        end: () => {
          exchange.faults.restDelayMs = undefined;
        },
      }),
  },
} as const satisfies Readonly<Record<string, ChaosFault>>;
