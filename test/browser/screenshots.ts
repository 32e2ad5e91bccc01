// Takes the screenshots people judge the dashboard by: `node test/browser/screenshots.ts [--url URL] [--out DIR] [only …]`.
// Without --url from the stub server, which can show every state; with it only the first load.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { DESKTOP, LANDSCAPE, launchChromium, openPage, PHONE, untilDrawn } from './chromium.ts';
import { type StubOptions, type StubServer, startStubServer } from './stub-server.ts';

interface Shot {
  readonly name: string;
  readonly context: BrowserContextOptions;
  readonly query?: string;
  /** Only the stub can be put into this state. */
  readonly stub?: StubOptions;
  readonly act?: (page: Page, stub: StubServer | undefined) => Promise<void>;
  readonly needsStub?: boolean;
}

const LIGHT = { colorScheme: 'light' } as const;
const SIMULATED: StubOptions = {
  source: { kind: 'simulated', id: 'simulated:7', label: 'Simulated market, seed 7' },
};

const point = async (page: Page) => {
  await page.mouse.move(860, 420);
  await page.waitForTimeout(200);
};
const openAudit = async (page: Page) => {
  await page.locator('#audit').click();
  await page.waitForTimeout(400);
};
const differing = async (page: Page) => {
  await openAudit(page);
  await page.locator('.audit-exceptions button', { hasText: 'differs' }).click();
  await page.locator('.verdict-values table').waitFor();
};
const state =
  (name: 'stale' | 'offline' | 'repairing' | 'catching-up', reason: string) =>
  async (page: Page, stub: StubServer | undefined) => {
    stub?.pauseUpdates(name !== 'repairing');
    stub?.setStatus({ state: name, reason });
    await page.waitForTimeout(1_200);
  };

const SHOTS: readonly Shot[] = [
  { name: 'dark', context: DESKTOP },
  { name: 'light', context: { ...DESKTOP, ...LIGHT }, act: point },
  { name: 'phone', context: PHONE },
  { name: 'phone-light', context: { ...PHONE, ...LIGHT } },
  {
    name: 'phone-menu',
    context: PHONE,
    act: async (page) => {
      await page.locator('.intervals-button').click();
    },
  },
  {
    name: 'symbols',
    context: DESKTOP,
    act: async (page) => {
      await page.keyboard.press('/');
      await page.waitForTimeout(150);
    },
  },
  {
    name: 'symbols-found',
    context: DESKTOP,
    act: async (page) => {
      await page.keyboard.press('/');
      await page.keyboard.type('s');
      await page.waitForTimeout(700);
    },
  },
  {
    name: 'symbols-phone',
    context: { ...PHONE, ...LIGHT },
    act: async (page) => {
      await page.locator('.symbol-button').click();
      await page.keyboard.type('do');
      await page.waitForTimeout(700);
    },
  },
  {
    name: 'store-failing',
    context: DESKTOP,
    needsStub: true,
    act: async (page, stub) => {
      stub?.setStatus({ storeFault: 'no space left on device; trying again in 4000 ms' });
      await page.waitForTimeout(400);
    },
  },
  { name: 'landscape', context: LANDSCAPE },
  { name: 'landscape-light', context: { ...LANDSCAPE, ...LIGHT } },
  { name: 'audit', context: DESKTOP, query: '?symbol=ETHUSDT&interval=1m', act: openAudit },
  {
    name: 'audit-light',
    context: { ...DESKTOP, ...LIGHT },
    query: '?symbol=ETHUSDT&interval=1m',
    act: openAudit,
  },
  { name: 'audit-phone', context: PHONE, query: '?symbol=ETHUSDT&interval=1m', act: openAudit },
  { name: 'differs', context: DESKTOP, query: '?symbol=ETHUSDT&interval=1m', act: differing },
  {
    name: 'differs-light',
    context: { ...DESKTOP, ...LIGHT },
    query: '?symbol=ETHUSDT&interval=1m',
    act: differing,
  },
  { name: 'differs-phone', context: PHONE, query: '?symbol=ETHUSDT&interval=1m', act: differing },
  { name: 'gap', context: DESKTOP, query: '?symbol=ETHUSDT&interval=1m', needsStub: true },
  { name: 'small-price', context: DESKTOP, query: '?symbol=PEPEUSDT&interval=1m', needsStub: true },
  { name: 'months', context: DESKTOP, query: '?symbol=BTCUSDT&interval=1d', needsStub: true },
  { name: 'unknown', context: DESKTOP, query: '?symbol=FOOBAR&interval=7q', needsStub: true },
  {
    name: 'scrolled',
    context: DESKTOP,
    needsStub: true,
    act: async (page) => {
      await page.mouse.move(600, 400);
      await page.mouse.down();
      await page.mouse.move(1_300, 400, { steps: 8 });
      await page.mouse.up();
      await page.waitForTimeout(600);
    },
  },
  { name: 'simulated', context: DESKTOP, stub: SIMULATED },
  { name: 'simulated-phone', context: PHONE, stub: SIMULATED },
  {
    name: 'recording',
    context: { ...DESKTOP, ...LIGHT },
    stub: { source: { kind: 'recording', id: 'recording:morning', label: 'morning.ndjson × 10' } },
  },
  {
    name: 'stale',
    context: DESKTOP,
    needsStub: true,
    act: state('stale', 'No message from stream.binance.com for 5 s; reconnecting.'),
  },
  {
    name: 'stale-phone',
    context: PHONE,
    needsStub: true,
    act: state('stale', 'No message from stream.binance.com for 5 s; reconnecting.'),
  },
  {
    name: 'offline',
    context: { ...DESKTOP, ...LIGHT },
    needsStub: true,
    act: state(
      'offline',
      'Binance cannot be reached (ENOTFOUND stream.binance.com); trying again.',
    ),
  },
  {
    name: 'repairing',
    context: DESKTOP,
    needsStub: true,
    act: state('repairing', 'Fetching 212 missing trades of BTCUSDT.'),
  },
  { name: 'empty', context: DESKTOP, stub: { isEmpty: true } },
  {
    name: 'no-server',
    context: DESKTOP,
    needsStub: true,
    act: async (page, stub) => {
      stub?.setSilent(true);
      await page.waitForTimeout(4_200);
    },
  },
];

async function take(browser: Browser, shot: Shot, url: string | undefined, out: string) {
  const stub = url === undefined ? await startStubServer(shot.stub) : undefined;
  try {
    const address = new URL(shot.query ?? '', stub?.url ?? url);
    const { page, faults } = await openPage(browser, address.href, shot.context);
    if (shot.stub?.isEmpty !== true) await untilDrawn(page);
    await page.waitForTimeout(1_200);
    await shot.act?.(page, stub);
    await page.screenshot({ path: join(out, `${shot.name}.png`) });
    await page.context().close();
    console.log(`${shot.name}.png${faults.map((fault) => `\n  ${fault}`).join('')}`);
  } finally {
    await stub?.close();
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { url: { type: 'string' }, out: { type: 'string', default: '.cache/screenshots' } },
});
mkdirSync(values.out, { recursive: true });
const browser = await launchChromium();
try {
  for (const shot of SHOTS) {
    if (positionals.length > 0 && !positionals.includes(shot.name)) continue;
    if (values.url !== undefined && (shot.stub !== undefined || shot.needsStub === true)) continue;
    await take(browser, shot, values.url, values.out);
  }
} finally {
  await browser.close();
}
