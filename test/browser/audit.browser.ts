// The audit on the screen: its marks, the verdict in words, both values where they differ, and the day in the strip.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { canvasColors } from './canvas-colors.ts';
import {
  chromiumMissing,
  DESKTOP,
  launchChromium,
  openPage,
  PHONE,
  untilDrawn,
} from './chromium.ts';
import { withStubPage } from './stub-page.ts';
import { type StubOptions, type StubServer, startStubServer } from './stub-server.ts';

describe('audit', { skip: chromiumMissing() }, () => {
  let browser: Browser;

  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());

  async function withPage(
    act: (page: Page, stub: StubServer) => Promise<void>,
    stub: StubOptions = {},
    context: BrowserContextOptions = DESKTOP,
  ): Promise<void> {
    const options = { query: '?symbol=ETHUSDT&interval=1m', stub, context };
    const faults = await withStubPage(browser, options, async (page, server) => {
      await page.locator('#audit').waitFor();
      await act(page, server);
    });
    assert.deepEqual(faults, [], 'no error in the console, no request to elsewhere');
  }

  const openDetails = async (page: Page, verdict: string) => {
    await page.locator('#audit').click();
    await page.locator('.audit-exceptions button', { hasText: verdict }).first().click();
    await page.locator('.audit-popover').waitFor({ state: 'detached' });
  };
  const verdictOf = async (page: Page, standing: string) => {
    await page.locator(`.verdict[data-standing="${standing}"]`).waitFor();
    return (await page.textContent('.verdict')) ?? '';
  };

  it('says how many of the day’s minutes are verified, with thousands and what is not', async () => {
    const audit = (day: number) => ({ day, fromKlines: 0, since: day });
    const counts = { closed: 1_440, verified: 1_440, repaired: 0, differs: 0, unverified: 0 };
    await withPage(
      async (page, stub) => {
        assert.equal(await page.textContent('#audit'), '1,440 of 1,440 verified today');
        const today = Date.now() - (Date.now() % 86_400_000);
        const partly = { closed: 815, verified: 812, repaired: 2, differs: 1, unverified: 0 };
        stub.send({ type: 'audit', symbol: 'ETHUSDT', audit: { ...audit(today), ...partly } });
        const text = '812 of 815 verified today · 2 repaired · 1 differs';
        await page.waitForFunction(
          (wanted) => document.querySelector('#audit')?.textContent === wanted,
          text,
        );
        stub.send({ type: 'audit', symbol: 'BTCUSDT', audit: { ...audit(today), ...counts } });
        await page.waitForTimeout(200);
        assert.equal(await page.textContent('#audit'), text, 'another symbol’s is not shown');
      },
      { audit: ({ day }) => ({ ...audit(day), ...counts }) },
    );
  });

  it('names the day where it is not today’s', async () => {
    await withPage(
      async (page) => {
        assert.match((await page.textContent('#audit')) ?? '', / verified on \d+ [A-Z][a-z]{2} /);
      },
      { audit: (audit) => ({ ...audit, day: audit.day - 5 * 86_400_000 }) },
    );
  });

  it('lists what is not verified, leads to it, and says both values where they differ', async () => {
    await withPage(async (page) => {
      await openDetails(page, 'differs');
      await page.locator('.verdict-values table').waitFor();
      const text = await verdictOf(page, 'differs');
      assert.match(text, /Differs.*a fresh kline still disagrees/);
      const head = await page.locator('.verdict-values tbody th').allTextContents();
      assert.deepEqual(head, ['High', 'Volume', 'Trades']);
      const values = await page.locator('.verdict-values tbody td').allTextContents();
      for (let at = 0; at < values.length; at += 2) assert.notEqual(values[at], values[at + 1]);
      assert.match(text, /6 other fields are equal/);
      // What rests under the mouse does not take the candle away again.
      await page.waitForTimeout(400);
      await verdictOf(page, 'differs');
      await page.mouse.move(500, 20, { steps: 5 });
      await verdictOf(page, 'open');
    });
  });

  it('says a repair’s reason and revision', async () => {
    await withPage(async (page) => {
      await openDetails(page, 'repaired');
      await page.waitForFunction(() =>
        /Repaired.*had been lost in a reset.*revision 1/.test(
          document.querySelector('.verdict')?.textContent ?? '',
        ),
      );
    });
  });

  it('is walked by keyboard, and said to those who do not see it', async () => {
    await withPage(async (page) => {
      await page.locator('.chart-canvas').focus();
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowLeft');
      await verdictOf(page, 'verified');
      const spoken = page.locator('.chart [aria-live="polite"]');
      assert.match((await spoken.textContent()) ?? '', /close .*Verified: equals the exchange/);
      const before = await page.textContent('.legend-time');
      await page.keyboard.press('Shift+ArrowLeft');
      await page.waitForFunction(
        (time) => document.querySelector('.legend-time')?.textContent !== time,
        before,
      );
      await page.keyboard.press('Escape');
      await verdictOf(page, 'open');
      assert.equal(await spoken.textContent(), '');
    });
  });

  it('is told by a tap on a phone, and fits it', async () => {
    await withPage(
      async (page) => {
        await page.touchscreen.tap(150, 420);
        await verdictOf(page, 'verified');
        await page.locator('#audit').click();
        const box = await page.locator('.audit-popover').boundingBox();
        assert.ok(box !== null && box.x >= 0 && box.x + box.width <= 390 && box.y >= 0);
        const overflow = () =>
          page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.equal(await overflow(), 0);
        await page.locator('.audit-exceptions button', { hasText: 'differs' }).click();
        await page.locator('.verdict-values table').waitFor();
        assert.equal(await overflow(), 0);
      },
      {},
      PHONE,
    );
  });

  it('draws a shape of its own for each verdict at the chart’s foot', async () => {
    await withPage(async (page) => {
      const pixels = await canvasColors(page, 15);
      for (const [verdict, color, least] of [
        ['verified', '55,134,108', 500],
        ['repaired', '110,168,254', 20],
        ['differs', '255,107,124', 20],
        ['unverified', '227,169,60', 10],
      ] as const) {
        assert.ok((pixels.get(color) ?? 0) > least, `${verdict}: ${pixels.get(color)} pixels`);
      }
    });
  });

  it('says of a simulated market that it is verified against the simulated exchange', async () => {
    await withPage(
      async (page) => {
        await page.locator('#audit').click();
        const text = (await page.textContent('.audit-popover')) ?? '';
        assert.match(text, /compared with the simulated exchange’s own candle/);
        assert.match(text, /proves the program, not a market/);
      },
      { source: { kind: 'simulated', id: 'simulated:7', label: 'Simulated market, seed 7' } },
    );
  });

  it('says nothing of audits where the server does not', async () => {
    const stub = await startStubServer({ audit: undefined });
    const { page } = await openPage(browser, stub.url, DESKTOP);
    await untilDrawn(page);
    await page.waitForTimeout(300);
    assert.equal(await page.locator('#audit').count(), 0);
    await page.context().close();
    await stub.close();
  });
});
