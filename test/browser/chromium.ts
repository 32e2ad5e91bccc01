// The system's Chromium, driven headless. Where it is missing, suites say so and skip; in CI that is a failure.
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

export const CHROMIUM_PATH = '/usr/bin/chromium';

/** For `describe(…, { skip: chromiumMissing() })`. */
export function chromiumMissing(): string | false {
  if (existsSync(CHROMIUM_PATH)) return false;
  if (process.env['CI'] === 'true') throw new Error(`Expected Chromium at ${CHROMIUM_PATH}`);
  return `no Chromium at ${CHROMIUM_PATH}`;
}

export async function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM_PATH,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export const DESKTOP: BrowserContextOptions = { viewport: { width: 1440, height: 900 } };
export const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};

/** A phone on its side. */
export const LANDSCAPE: BrowserContextOptions = { ...PHONE, viewport: { width: 844, height: 390 } };

/** A page of its own context, with every console error and foreign request noted. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions,
): Promise<{ readonly page: Page; readonly faults: string[] }> {
  const context = await browser.newContext({ colorScheme: 'dark', ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      faults.push(`${message.type()}: ${message.text()}`);
    }
  });
  page.on('request', (request) => {
    if (new URL(request.url()).hostname !== new URL(url).hostname) {
      faults.push(`foreign request: ${request.url()}`);
    }
  });
  await page.goto(url);
  return { page, faults };
}

/** Waits until candles are on the chart. */
export async function untilDrawn(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector('#last-close')?.textContent !== '');
}

/** Open times (ms) at the edges of what is on the screen, read from the address; the live edge has none there. */
export async function visibleSpan(
  page: Page,
): Promise<{ readonly from: number; readonly to: number }> {
  await page.waitForTimeout(400); // the page writes its address 300 ms after the last move
  const { searchParams } = new URL(page.url());
  const now = Date.now();
  return {
    from: Number(searchParams.get('from') ?? now - 165 * 60_000),
    to: Number(searchParams.get('to') ?? now),
  };
}
