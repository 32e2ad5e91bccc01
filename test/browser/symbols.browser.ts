// The symbol menu: the server's symbols, and those of the exchange that can be added while it runs.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { chromiumMissing, DESKTOP, launchChromium, PHONE, untilDrawn } from './chromium.ts';
import { withStubPage } from './stub-page.ts';
import type { StubOptions, StubServer } from './stub-server.ts';

describe('symbol menu', { skip: chromiumMissing() }, () => {
  let browser: Browser;

  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());

  async function withMenu(
    act: (page: Page, stub: StubServer) => Promise<void>,
    stub: StubOptions = {},
    context: BrowserContextOptions = DESKTOP,
  ): Promise<void> {
    // What the server refuses is an error in the console, too.
    await withStubPage(browser, { query: '', stub, context }, async (page, server) => {
      await page.locator('.symbol-button').click();
      await act(page, server);
    });
  }

  const option = (page: Page, symbol: string) => page.locator(`#symbol-${symbol}`);
  const shown = (page: Page, symbol: string) =>
    page.waitForURL((url) => url.searchParams.get('symbol') === symbol);

  it('finds a symbol of the exchange, adds it by keyboard, and shows it when it has come', async () => {
    await withMenu(async (page) => {
      await page.keyboard.type('doge/u');
      await option(page, 'DOGEUSDT').waitFor();
      assert.match((await page.textContent('.symbol-heading')) ?? '', /On the exchange/);
      await page.keyboard.press('Enter');
      await page.locator('#symbol-DOGEUSDT .symbol-note', { hasText: 'adding' }).waitFor();
      await shown(page, 'DOGEUSDT');
      await untilDrawn(page);
      assert.equal(await page.locator('#symbol-DOGEUSDT[data-here="true"]').count(), 1);
    });
  });

  it('asks once for what is typed in one go', async () => {
    await withMenu(async (page) => {
      const asked: string[] = [];
      page.on('request', (request) => {
        const url = new URL(request.url());
        if (url.pathname === '/api/v1/listings') asked.push(url.searchParams.get('query') ?? '');
      });
      await page.keyboard.type('avax');
      await option(page, 'AVAXUSDT').waitFor();
      assert.deepEqual(asked, ['avax']);
    });
  });

  it('says which listed symbol is not trading, and that nothing fits', async () => {
    await withMenu(async (page) => {
      await page.keyboard.type('mkrusdt');
      await page.locator('#symbol-MKRUSDT', { hasText: 'not trading' }).waitFor();
      await page.keyboard.type('zzz');
      await page.getByText('Neither this server nor the exchange').waitFor();
    });
  });

  it('removes a symbol, and goes to another where it was in view', async () => {
    await withMenu(async (page) => {
      await page.getByLabel('Remove ETHUSDT').click();
      await option(page, 'ETHUSDT').waitFor({ state: 'detached' });
      await page.getByLabel('Remove BTCUSDT').click();
      await shown(page, 'SOLUSDT');
      assert.match((await page.textContent('.notices')) ?? '', /BTCUSDT was removed/);
    });
  });

  it('says in the server’s words why a symbol was not added', async () => {
    await withMenu(
      async (page) => {
        await page.keyboard.type('doge');
        await option(page, 'DOGEUSDT').click();
        const fault = page.locator('.symbol-fault');
        await fault.waitFor();
        assert.equal(await fault.textContent(), 'DOGEUSDT was not added: 2,000 symbols at most');
      },
      { refusal: '2,000 symbols at most' },
    );
  });

  it('falls back to the server’s own symbols where it has no listings, or they cannot be had', async () => {
    await withMenu(
      async (page) => {
        await page.keyboard.type('sol');
        await page.getByText('This server knows no others to add.').waitFor();
        await page.keyboard.press('Enter');
        await shown(page, 'SOLUSDT');
      },
      { listings: 'absent' },
    );
    await withMenu(
      async (page) => {
        await page.keyboard.type('sol');
        await page.getByText('could not be searched: the exchange is not reachable').waitFor();
        await option(page, 'SOLUSDT').waitFor();
      },
      { listings: 'failing' },
    );
  });

  it('shows what a symbol is doing, and fits a phone', async () => {
    await withMenu(
      async (page, stub) => {
        stub.setStatus({ symbols: { ETHUSDT: 'catching-up' } });
        await page.locator('#symbol-ETHUSDT', { hasText: 'catching up' }).waitFor();
        const box = await page.locator('.symbol-popover').boundingBox();
        assert.ok(box !== null && box.x >= 0 && box.x + box.width <= 390);
      },
      {},
      PHONE,
    );
  });
});
