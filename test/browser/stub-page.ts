// One page of the dashboard on a stub server of its own: opened, drawn, handed over, closed whatever happens.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { openPage, untilDrawn } from './chromium.ts';
import { type StubOptions, type StubServer, startStubServer } from './stub-server.ts';

const WAIT_MS_MAX = 10_000;

export interface StubPageOptions {
  readonly query: string;
  readonly stub: StubOptions;
  readonly context: BrowserContextOptions;
}

/** Answers what the page found wrong: errors in its console, requests to elsewhere. */
export async function withStubPage(
  browser: Browser,
  { query, stub: stubOptions, context }: StubPageOptions,
  act: (page: Page, stub: StubServer) => Promise<void>,
): Promise<readonly string[]> {
  const stub = await startStubServer(stubOptions);
  const { page, faults } = await openPage(browser, `${stub.url}${query}`, context);
  page.setDefaultTimeout(WAIT_MS_MAX);
  try {
    await untilDrawn(page);
    await act(page, stub);
  } finally {
    await page.context().close();
    await stub.close();
  }
  return faults;
}
