// What is missing in the past: shown as missing, offered, fetched, and on the chart; or said to be missing for good.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { candleTimeText, localZone } from '../../web/chart/wall-clock.ts';
import type {} from '../../web/dashboard/bench-probe.ts';
import { chromiumMissing, DESKTOP, launchChromium, PHONE, visibleSpan } from './chromium.ts';
import { withStubPage } from './stub-page.ts';
import type { StubOptions, StubServer } from './stub-server.ts';

const MINUTE_MS = 60_000;

describe('missing history', { skip: chromiumMissing() }, () => {
  let browser: Browser;

  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());

  async function withPage(
    query: string,
    act: (page: Page, stub: StubServer) => Promise<void>,
    stub: StubOptions = { backfill: 'filled' },
    context: BrowserContextOptions = DESKTOP,
  ): Promise<void> {
    const faults = await withStubPage(browser, { query, stub, context }, act);
    assert.deepEqual(faults, [], 'no error in the console, no request to elsewhere');
  }

  const card = (page: Page) => page.locator('.gap-card');
  const button = (page: Page) => page.locator('.gap-act');
  const rows = (page: Page) => page.evaluate(() => window.__wickstreamView?.().rows ?? 0);
  const ETH = '?symbol=ETHUSDT&interval=1m&bench=1';

  it('offers a gap, fetches it by a click, shows how far that is, and then the candles', async () => {
    await withPage(
      ETH,
      async (page, stub) => {
        await button(page).waitFor();
        assert.equal(await button(page).textContent(), 'Fetch 35 missing minutes');
        assert.match((await card(page).textContent()) ?? '', /^No candles from \d.* to \d/);
        const held = await rows(page);
        await button(page).click();
        await page.getByText('17 of 35 minutes').waitFor();
        assert.equal(await page.locator('.gap-card progress').count(), 1);
        assert.equal(await button(page).textContent(), 'Cancel');
        stub.backfills.finish();
        await card(page).waitFor({ state: 'detached' });
        const { from = 0, to = 0 } = stub.backfills.asked[0] ?? {};
        assert.equal((to - from) / MINUTE_MS, 35);
        assert.ok((await rows(page)) >= held, 'no candle was lost for it');
        assert.equal(await page.locator('.go-live').isVisible(), false, 'still at the live edge');
        // Walked to from the newest candle, one by one: were a minute missing, another would be there.
        await page.locator('.chart-canvas').focus();
        await page.keyboard.press('End');
        await page.locator('.legend-phase', { hasText: 'open' }).waitFor();
        let at = timeOf((await page.textContent('.legend-time')) ?? '');
        for (const wanted of [to - MINUTE_MS, from, from - MINUTE_MS]) {
          for (; at > wanted; at -= MINUTE_MS) await page.keyboard.press('ArrowLeft');
          await page.waitForFunction(
            (text) => document.querySelector('.legend-time')?.textContent === text,
            candleTimeText(wanted, '1m', localZone),
          );
        }
      },
      { backfill: 'filled', backfillMs: 'held' },
    );
  });

  it('is worked by keyboard alone, can be cancelled, and gives the keyboard back to the candles', async () => {
    await withPage(
      ETH,
      async (page, stub) => {
        await button(page).waitFor();
        await page.locator('.chart-canvas').focus();
        await page.keyboard.press('Tab');
        assert.equal(await focused(page), 'Fetch 35 missing minutes');
        await page.keyboard.press('Enter');
        await page.getByText(/of 35 minutes$/).waitFor();
        assert.equal(await focused(page), 'Cancel');
        await page.keyboard.press('Enter');
        await page.getByText('Fetch 35 missing minutes').waitFor();
        assert.equal(await focused(page), 'Fetch 35 missing minutes');
        await page.keyboard.press('Enter');
        await page.getByText(/of 35 minutes$/).waitFor();
        stub.backfills.finish();
        await card(page).waitFor({ state: 'detached' });
        assert.equal(stub.backfills.asked.length, 2);
        assert.match(
          await page.evaluate(() => document.activeElement?.className ?? ''),
          /chart-canvas/,
        );
      },
      { backfill: 'filled', backfillMs: 'held' },
    );
  });

  it('says no more of a gap that the reader has dismissed', async () => {
    await withPage(ETH, async (page) => {
      await page.locator('.gap-close').click();
      await card(page).waitFor({ state: 'detached' });
      await page.waitForTimeout(600);
      assert.equal(await card(page).count(), 0);
    });
  });

  it('says that the exchange itself has none, and offers it no more', async () => {
    await withPage(
      ETH,
      async (page) => {
        await button(page).click();
        await page.getByText(/^The exchange itself has no candles from/).waitFor();
        assert.equal(await button(page).count(), 0);
      },
      { backfill: 'none', backfillMs: 300 },
    );
  });

  it('says in the server’s words why it failed, and offers it again', async () => {
    await withPage(
      ETH,
      async (page, stub) => {
        await button(page).click();
        await page.getByText(/of 35 minutes$/).waitFor();
        stub.backfills.finish();
        await page.getByText('It could not be fetched: api.binance.com refuses us (451)').waitFor();
        assert.equal(await button(page).textContent(), 'Try again: Fetch 35 missing minutes');
        await button(page).click();
        await page.getByText(/of 35 minutes$/).waitFor();
        assert.equal(stub.backfills.asked.length, 2);
      },
      { backfill: { reason: 'api.binance.com refuses us (451)' }, backfillMs: 'held' },
    );
  });

  it('says that nothing is as old as the date asked for, fetches from there on, and goes there', async () => {
    await withPage('?symbol=SOLUSDT&interval=1m&bench=1', async (page, stub) => {
      const wanted = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 6_500 * MINUTE_MS;
      await page.locator('.zone').click();
      await jump(page, wanted);
      await page
        .getByText(/^Nothing here is as old as .*: this is the oldest candle, of/)
        .waitFor();
      assert.match(
        (await button(page).textContent()) ?? '',
        /^Fetch [67]\d\d minutes from \d.* on$/,
      );
      await button(page).click();
      await card(page).waitFor({ state: 'detached' });
      const asked = stub.backfills.asked[0];
      assert.ok(asked !== undefined && asked.from < wanted && asked.to > wanted);
      const span = await visibleSpan(page);
      assert.ok(span.from < wanted && span.to > wanted, `${span.from} to ${span.to}`);
      assert.equal(await page.textContent('.legend-phase'), 'closed', 'the candle is pointed at');
    });
  });

  it('offers what is older once the reader has come to the oldest candle, and goes on into it', async () => {
    await withPage('?symbol=SOLUSDT&interval=1m&bench=1', async (page, stub) => {
      assert.equal(await card(page).count(), 0, 'nothing is offered at the live edge');
      await jump(page, Date.now() - 5_990 * MINUTE_MS);
      await page.getByText(/^The oldest candle here is of/).waitFor();
      assert.equal(await button(page).textContent(), 'Fetch 10,000 older minutes');
      await button(page).click();
      await card(page).waitFor({ state: 'detached' });
      assert.equal(stub.backfills.asked.length, 1);
      const { from } = await visibleSpan(page);
      await drag(page, 200, 1_200);
      assert.ok((await visibleSpan(page)).from < from - 60 * MINUTE_MS, 'there is more');
    });
  });

  it('offers nothing where the server can fetch nothing, and says all the same what is not there', async () => {
    await withPage(
      '?symbol=ETHUSDT&interval=1m',
      async (page) => {
        await page.waitForTimeout(600);
        assert.equal(await card(page).count(), 0, 'the gap’s hatch says it');
        await jump(page, Date.UTC(2001, 0, 1));
        await page.getByText(/^Nothing here is as old as 1 Jan 2001/).waitFor();
        assert.equal(await button(page).count(), 0);
        await page.locator('.go-live').click();
        await card(page).waitFor({ state: 'detached' });
      },
      {},
    );
  });

  it('fits a phone', async () => {
    await withPage(
      ETH,
      async (page) => {
        for (let pull = 0; pull < 6 && !(await button(page).isVisible()); pull++) {
          await drag(page, 40, 330);
          await page.waitForTimeout(300);
        }
        assert.equal(await button(page).textContent(), 'Fetch 35 missing minutes');
        const box = await card(page).boundingBox();
        assert.ok(box !== null && box.x >= 0 && box.x + box.width <= 390, JSON.stringify(box));
      },
      { backfill: 'filled' },
      PHONE,
    );
  });
});

/** As the legend writes it. */
const timeOf = (text: string) => Date.parse(text.replace(',', ''));

const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent);

async function jump(page: Page, moment: number): Promise<void> {
  const [date = '', time = ''] = new Date(moment).toISOString().slice(0, 16).split('T');
  await page.keyboard.press('g');
  await page.locator('.date-popover input[type=date]').fill(date);
  await page.locator('.date-popover input[type=time]').fill(time);
  await page.keyboard.press('Enter');
}

async function drag(page: Page, from: number, to: number): Promise<void> {
  await page.mouse.move(from, 400);
  await page.mouse.down();
  await page.mouse.move(to, 400, { steps: 6 });
  await page.mouse.up();
}
