// The dashboard in a real Chromium against the stub server: what a reader does, and what the page must tell.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type {} from '../../web/dashboard/bench-probe.ts';
import { canvasColors } from './canvas-colors.ts';
import {
  chromiumMissing,
  DESKTOP,
  launchChromium,
  openPage,
  PHONE,
  untilDrawn,
  visibleSpan,
} from './chromium.ts';
import { type StubServer, startStubServer } from './stub-server.ts';

describe('dashboard', { skip: chromiumMissing() }, () => {
  let browser: Browser;
  let stub: StubServer;

  before(async () => {
    browser = await launchChromium();
    stub = await startStubServer();
  });
  after(async () => {
    await browser.close();
    await stub.close();
  });

  async function withPage(
    query: string,
    act: (page: Page) => Promise<void>,
    context = DESKTOP,
  ): Promise<void> {
    const { page, faults } = await openPage(browser, `${stub.url}${query}`, context);
    await untilDrawn(page);
    await act(page);
    await page.context().close();
    assert.deepEqual(faults, [], 'no error in the console, no request to elsewhere');
  }

  for (const colorScheme of ['dark', 'light'] as const) {
    it(`draws candles and volume at first load, ${colorScheme}`, async () => {
      await withPage(
        '',
        async (page) => {
          const colors = await canvasColors(page);
          const [up, down] =
            colorScheme === 'dark' ? ['34,181,133', '240,74,93'] : ['16,153,122', '224,60,80'];
          assert.ok((colors.get(up) ?? 0) > 500, 'rising candles have pixels');
          assert.ok((colors.get(down) ?? 0) > 500, 'falling candles have pixels');
          assert.equal(await page.getAttribute('#status', 'data-state'), 'live');
          assert.equal(await page.getAttribute('html', 'data-theme'), colorScheme);
        },
        { ...DESKTOP, colorScheme },
      );
    });
  }

  it('moves the last candle with each update, on the chart and in the texts', async () => {
    await withPage('?bench=1', async (page) => {
      await page.waitForFunction(() => (window.__wickstreamDrawn?.length ?? 0) > 5);
      const closes = await page.evaluate(() => window.__wickstreamDrawn?.map(({ close }) => close));
      assert.ok(new Set(closes).size > 2, `Expected moving closes, was ${closes}`);
      const first = await page.textContent('#last-close');
      await page.waitForFunction(
        (text) => document.querySelector('#last-close')?.textContent !== text,
        first,
      );
      assert.match((await page.textContent('#last-close')) ?? '', /^\d+\.\d\d$/);
      assert.match(await page.title(), /^[\d,.]+ [▲▼·] BTCUSDT/);
    });
  });

  it('counts down by the exchange’s clock, not by the laptop’s', async () => {
    // The exchange is 25 s ahead of this machine.
    const ahead = await startStubServer({ exchangeAheadMs: 25_000 });
    const { page } = await openPage(browser, ahead.url, DESKTOP);
    await page.waitForFunction(() => document.querySelector('#countdown')?.textContent !== '');
    await page.waitForTimeout(1_500);
    const [text, now] = await page.evaluate(() => [
      document.querySelector('#countdown')?.textContent ?? '',
      Date.now(),
    ]);
    const shown = Number(text.slice(3)) % 60;
    const wanted = 60 - (((now + 25_000) / 1_000) % 60);
    const apart = Math.abs(((shown - wanted + 90) % 60) - 30);
    assert.ok(apart <= 2, `Expected about ${wanted} s left, was "${text}"`);
    await page.context().close();
    await ahead.close();
  });

  it('shows every field of the candle under the crosshair, then of the last again', async () => {
    await withPage('', async (page) => {
      const fields = await page.locator('.legend-field').count();
      assert.equal(fields, 15);
      const lastTime = await page.textContent('.legend-time');
      await page.mouse.move(500, 400);
      await page.waitForFunction(
        (time) => document.querySelector('.legend-time')?.textContent !== time,
        lastTime,
      );
      assert.equal(await page.textContent('.legend-phase'), 'closed');
      for (const value of await page.locator('.legend-field dd').allTextContents()) {
        assert.notEqual(value, '–');
      }
      await page.mouse.move(500, 20);
      await page.waitForFunction(
        () => document.querySelector('.legend-phase')?.textContent === 'open',
      );
    });
  });

  it('switches symbol by keyboard and interval by click, and puts both in the address', async () => {
    await withPage('', async (page) => {
      await page.keyboard.press('/');
      await page.keyboard.type('pepe');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => /^0\.0000/.test(document.title));
      assert.match((await page.textContent('#last-close')) ?? '', /^0\.\d{8}$/);
      await page.locator('.interval', { hasText: /^4h$/ }).click();
      await page.waitForURL(/symbol=PEPEUSDT&interval=4h/);
      await untilDrawn(page);
      await page.keyboard.press('ArrowRight');
      await page.waitForURL(/interval=6h/);
      await untilDrawn(page);
    });
  });

  it('shows each of the 16 intervals', async () => {
    await withPage('', async (page) => {
      const names = await page.locator('.interval').allTextContents();
      assert.equal(names.length, 16);
      for (const name of names) {
        await page.locator('.interval', { hasText: new RegExp(`^${name}$`) }).click();
        await untilDrawn(page);
      }
    });
  });

  it('brings older candles when scrolled back, without a jump, and goes to live again', async () => {
    await withPage('', async (page) => {
      await drag(page, 300, 1_200);
      await page.waitForURL(/from=\d+&to=\d+/);
      const moved = await visibleSpan(page);
      assert.ok(moved.to < Date.now() - 30 * 60_000, 'the reader is back in time');
      const release = await holdPages(page);
      for (let pull = 0; pull < 8; pull++) await drag(page, 100, 1_280);
      const rested = await visibleSpan(page);
      const answered = page.waitForResponse(/api\/v1\/candles/);
      release();
      await answered;
      await page.waitForTimeout(700);
      // Its left edge may have lain before the first candle.
      assert.equal((await visibleSpan(page)).to, rested.to, 'the page that came moved nothing');
      for (let pull = 0; pull < 8; pull++) await drag(page, 100, 1_280);
      const further = await visibleSpan(page);
      assert.ok(further.to < rested.from, 'the reader could go on into it');
      await page.locator('.go-live').click();
      await page.waitForURL((url) => !url.searchParams.has('from'));
      await page.locator('.go-live').waitFor({ state: 'hidden' });
    });
  });

  it('reopens the same view from its link, also far back in time', async () => {
    const minute = Math.floor(Date.now() / 60_000) * 60_000;
    for (const back of [400, 3_000]) {
      const from = minute - (back + 120) * 60_000;
      const to = minute - back * 60_000;
      await withPage(`?symbol=SOLUSDT&interval=1m&from=${from}&to=${to}`, async (page) => {
        await page.waitForTimeout(900);
        const span = await visibleSpan(page);
        assert.ok(Math.abs(span.from - from) <= 120_000, `${span.from} is about ${from}`);
        assert.ok(Math.abs(span.to - to) <= 120_000, `${span.to} is about ${to}`);
        assert.match((await page.textContent('.symbol-button')) ?? '', /SOLUSDT/);
        assert.equal(await page.locator('.go-live').isVisible(), true);
        await page.locator('.go-live').click();
        await page.waitForURL((url) => !url.searchParams.has('from'));
      });
    }
  });

  it('comes forward from a link far back to the live edge, page by page, without a jump', async () => {
    const to = Math.floor(Date.now() / 60_000) * 60_000 - 2_400 * 60_000;
    const query = `?symbol=SOLUSDT&interval=1m&from=${to - 7_200_000}&to=${to}`;
    await withPage(query, async (page) => {
      await page.waitForTimeout(900);
      const release = await holdPages(page);
      let isAsked = false;
      page.on('request', (request) => {
        isAsked ||= request.url().includes('/api/v1/candles');
      });
      // The next page is asked for more than a screen before it is needed.
      for (let pull = 0; pull < 24 && !isAsked; pull++) await drag(page, 1_280, 100);
      assert.ok(isAsked, 'the next page is asked for');
      const rested = await visibleSpan(page);
      const answered = page.waitForResponse(/api\/v1\/candles/);
      release();
      await answered;
      await page.waitForTimeout(700);
      assert.deepEqual(await visibleSpan(page), rested, 'the page that came moved nothing');
      for (let pull = 0; pull < 30 && page.url().includes('from='); pull++) {
        await drag(page, 1_280, 100);
        await page.waitForTimeout(400);
      }
      assert.equal(new URL(page.url()).searchParams.has('from'), false, 'at the live edge');
      await page.mouse.move(500, 20);
      await page.waitForFunction(
        () => document.querySelector('.legend-phase')?.textContent === 'open',
      );
    });
  });

  it('jumps to a date by the button and by a key, and the link reopens it', async () => {
    const wanted = Math.floor(Date.now() / 60_000) * 60_000 - 4_000 * 60_000;
    const [date = '', time = ''] = new Date(wanted).toISOString().slice(0, 16).split('T');
    await withPage('?symbol=SOLUSDT&interval=1m', async (page) => {
      await page.locator('.zone').click();
      await page.keyboard.press('g');
      await page.locator('.date-popover input[type=date]').fill(date);
      await page.locator('.date-popover input[type=time]').fill(time);
      await page.keyboard.press('Enter');
      await page.waitForURL(/from=\d+&to=\d+/);
      const span = await visibleSpan(page);
      const aside = Math.abs(wanted - (span.from + span.to) / 2);
      assert.ok(aside < (span.to - span.from) / 8, `${wanted} in ${span.from} to ${span.to}`);
      assert.equal(await page.textContent('.legend-phase'), 'closed', 'the candle is pointed at');
      await page.reload();
      await untilDrawn(page);
      await page.waitForTimeout(900);
      const again = await visibleSpan(page);
      assert.ok(Math.abs(again.from - span.from) <= 120_000, `${again.from} is about ${span.from}`);
      await page.locator('.date-button').click();
      await page.locator('.date-popover input[type=date]').fill('2001-01-01');
      await page.locator('.date-popover button').click();
      await page.waitForFunction(
        (to) => Number(new URL(location.href).searchParams.get('to')) < to,
        span.from,
      );
      const oldest = await visibleSpan(page);
      assert.ok(oldest.from > wanted - 2_100 * 60_000, 'nothing is that old: the oldest there is');
      assert.equal(await page.locator('.notices').count(), 0, 'nothing failed');
    });
  });

  it('shows no empty space however hard it is dragged into the past', async () => {
    await withPage('?symbol=SOLUSDT&interval=1m&bench=1', async (page) => {
      for (let pull = 0; pull < 12; pull++) await drag(page, 60, 1_390);
      await page.waitForTimeout(1_200);
      const { from, to } = await visibleSpan(page);
      const view = await page.evaluate(() => window.__wickstreamView?.());
      const slots = view?.slots ?? 0;
      assert.ok(
        (to - from) / 60_000 > slots * 0.9,
        `${(to - from) / 60_000} minutes in ${slots} slots`,
      );
    });
  });

  it('names what a link asks for and the server lacks', async () => {
    await withPage('?symbol=FOOBAR&interval=7q', async (page) => {
      const notices = (await page.textContent('.notices')) ?? '';
      assert.match(notices, /FOOBAR/);
      assert.match(notices, /7q/);
      assert.match((await page.textContent('.symbol-button')) ?? '', /BTCUSDT/);
      await page.locator('.notices button').click();
      await page.locator('.notices').waitFor({ state: 'detached' });
    });
  });

  it('draws the hatch of a gap and marks an incomplete candle', async () => {
    await withPage('?symbol=ETHUSDT&interval=1m', async (page) => {
      const colors = await canvasColors(page);
      assert.ok((colors.get('227,169,60') ?? 0) > 3, 'the incomplete candle’s border');
      assert.ok((colors.get('110,168,254') ?? 0) > 3, 'the corrected candle’s dot');
    });
  });

  it('remembers theme and zone', async () => {
    await withPage('', async (page) => {
      await page.locator('.theme').click();
      await page.locator('.zone').click();
      await page.reload();
      await untilDrawn(page);
      assert.equal(await page.getAttribute('html', 'data-theme'), 'light');
      assert.equal(await page.textContent('.zone'), 'UTC');
    });
  });

  it('never prints over the price, however narrow the window', async () => {
    await withPage('', async (page) => {
      for (const width of [1440, 1341, 1280, 1241, 1181, 1021]) {
        await page.setViewportSize({ width, height: 800 });
        const room = await page.evaluate(() => {
          const price = document.querySelector('#last-close');
          const next = document.querySelector('.price-change');
          const isShown = next !== null && next.getClientRects().length > 0;
          const end = price?.scrollWidth ?? Number.NaN;
          const left = price?.getBoundingClientRect().left ?? Number.NaN;
          return isShown ? next.getBoundingClientRect().left - (left + end) : 0;
        });
        assert.ok(room >= 0, `at ${width} px the change begins ${-room} px before the price ends`);
      }
    });
  });

  it('opens the list of symbols by its key, also after an interval was clicked', async () => {
    await withPage('', async (page) => {
      await page.locator('.interval', { hasText: /^1h$/ }).click();
      await page.waitForURL(/interval=1h/);
      await page.keyboard.press('/');
      await page.locator('.symbol-button[aria-expanded="true"]').waitFor();
    });
  });

  it('fits a phone: nothing overflows, intervals fold into a menu, all fields can be had', async () => {
    await withPage(
      '',
      async (page) => {
        const overflow = () =>
          page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.equal(await overflow(), 0);
        assert.deepEqual(await outside(page), [], 'no element reaches past the screen');
        await page.locator('.intervals-button').click();
        await page.locator('.interval', { hasText: /^1h$/ }).click();
        await page.waitForURL(/interval=1h/);
        await page.locator('.legend-more').click();
        await page.locator('[data-field="source"]').waitFor({ state: 'visible' });
        assert.equal(await overflow(), 0);
      },
      PHONE,
    );
  });
});

/** Keeps back the answers to requests for pages of candles until released. */
async function holdPages(page: Page): Promise<() => void> {
  const released = Promise.withResolvers<void>();
  await page.route('**/api/v1/candles?*', async (route) => {
    await released.promise;
    await route.continue();
  });
  return () => released.resolve();
}

async function drag(page: Page, from: number, to: number): Promise<void> {
  await page.mouse.move(from, 400);
  await page.mouse.down();
  await page.mouse.move(to, 400, { steps: 6 });
  await page.mouse.up();
}

async function outside(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('.page *')]
      .filter((element) => {
        const box = element.getBoundingClientRect();
        return box.width > 1 && box.right > window.innerWidth + 1;
      })
      .map((element) => element.className || element.tagName),
  );
}
