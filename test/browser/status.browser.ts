// I12 on the screen: in every state the page says what it is, and a chart that is not current says so within 5 s.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import {
  chromiumMissing,
  DESKTOP,
  LANDSCAPE,
  launchChromium,
  openPage,
  PHONE,
  untilDrawn,
} from './chromium.ts';
import { type StubServer, startStubServer } from './stub-server.ts';

const TOLD_WITHIN_MS = 5_000;

describe('status strip (I12)', { skip: chromiumMissing() }, () => {
  let browser: Browser;
  let stub: StubServer;

  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());
  beforeEach(async () => {
    stub = await startStubServer();
  });
  afterEach(() => stub.close());

  async function openLive(): Promise<Page> {
    const { page } = await openPage(browser, stub.url, DESKTOP);
    await untilDrawn(page);
    await untilState(page, 'live');
    return page;
  }

  it('is live with a delay and an age', async () => {
    const page = await openLive();
    await page.waitForFunction(() =>
      / ms$/.test(document.querySelector('#delay')?.textContent ?? ''),
    );
    const delay = Number.parseInt((await page.textContent('#delay')) ?? '', 10);
    assert.ok(
      delay >= 10 && delay < 1_000,
      `Expected a delay above the stub's 24 ms, was ${delay}`,
    );
    assert.equal(await page.locator('.notice-card').count(), 0);
    await page.context().close();
  });

  for (const state of ['stale', 'offline', 'catching-up', 'connecting', 'no-feed'] as const) {
    it(`marks the chart as not current while ${state}, and as current again after it`, async () => {
      const page = await openLive();
      stub.setStatus({ state, reason: `because of ${state}` });
      await untilState(page, state);
      assert.equal(await page.getAttribute('.chart', 'data-current'), 'false');
      assert.match(
        (await page.textContent('.notice-card')) ?? '',
        new RegExp(`because of ${state}`),
      );
      await page.waitForFunction(() => document.querySelector('#countdown')?.textContent === '');
      stub.setStatus({ state: 'live' });
      await untilState(page, 'live');
      assert.equal(await page.getAttribute('.chart', 'data-current'), 'true');
      await page.context().close();
    });
  }

  it('says repairing, and goes on', async () => {
    const page = await openLive();
    stub.setStatus({ state: 'repairing', symbols: { BTCUSDT: 'repairing' } });
    await untilState(page, 'repairing');
    assert.equal(await page.getAttribute('.chart', 'data-current'), 'true');
    await page.context().close();
  });

  it('says that the store takes nothing, and why, beside a live feed, and stops when it does again', async () => {
    const page = await openLive();
    assert.equal(await page.locator('.strip-fault').isVisible(), false);
    stub.setStatus({ storeFault: 'no space left on device' });
    await page.locator('.strip-fault').waitFor();
    const text = (await page.textContent('.strip-fault')) ?? '';
    assert.match(text, /Store failing.*not kept: no space left on device/);
    assert.equal(await page.getAttribute('#status', 'data-state'), 'live');
    stub.setStatus({ storeFault: '' });
    await page.locator('.strip-fault').waitFor({ state: 'hidden' });
    await page.context().close();
  });

  it('says that its symbol is stale while others are live, and no other symbol’s trouble', async () => {
    const page = await openLive();
    stub.setStatus({ symbols: { ETHUSDT: 'catching-up' } });
    await page.waitForTimeout(300);
    assert.equal(await page.getAttribute('#status', 'data-state'), 'live');
    stub.setStatus({ symbols: { BTCUSDT: 'catching-up' } });
    await untilState(page, 'catching-up');
    assert.equal(await page.getAttribute('.chart', 'data-current'), 'false');
    await page.context().close();
  });

  for (const context of [DESKTOP, PHONE, LANDSCAPE]) {
    const { width, height } = context.viewport ?? {};
    it(`fits ${width} × ${height} whatever the strip has to say`, async () => {
      const { page } = await openPage(browser, `${stub.url}?symbol=ETHUSDT&interval=1m`, context);
      await untilDrawn(page);
      stub.setStatus({
        state: 'stale',
        reason:
          'No message from stream.binance.com for 5 s; reconnecting, and more than fits here.',
        storeFault: 'SQLITE_FULL: database or disk is full, /var/lib/wickstream/candles.sqlite',
      });
      await page.locator('.strip-fault').waitFor();
      const cut = await page.evaluate(() => {
        const boxes = [...document.querySelectorAll('.strip > *')]
          .map((element) => ({ name: element.className, box: element.getBoundingClientRect() }))
          .filter(({ box }) => box.width > 0);
        const out = boxes.filter(
          ({ box }) => box.right > innerWidth + 1 || box.bottom > innerHeight,
        );
        const overlaps = boxes.flatMap((one, at) =>
          boxes
            .slice(at + 1)
            .filter(
              ({ box }) =>
                box.left < one.box.right - 1 &&
                box.right > one.box.left + 1 &&
                box.top < one.box.bottom - 1 &&
                box.bottom > one.box.top + 1,
            )
            .map((other) => `${one.name} × ${other.name}`),
        );
        return [...out.map(({ name }) => name), ...overlaps];
      });
      assert.deepEqual(cut, [], 'nothing reaches past the screen or over its neighbour');
      await page.context().close();
    });
  }

  it('says within 5 s that a silent server is gone, as of when, in strip, chart and title', async () => {
    const page = await openLive();
    stub.setSilent(true);
    const silentAt = Date.now();
    await untilState(page, 'no-server');
    assert.ok(Date.now() - silentAt < TOLD_WITHIN_MS, 'told within 5 s');
    assert.equal(await page.getAttribute('.chart', 'data-current'), 'false');
    assert.match(
      (await page.textContent('.notice-card')) ?? '',
      /No connection to server.*data as of \d\d:\d\d:\d\d/s,
    );
    await page.waitForFunction(() => document.title.startsWith('⚠ No connection'));
    await page.context().close();
  });

  it('says within 5 s that a killed server is gone, and comes back by itself with fresh candles', async () => {
    const page = await openLive();
    const { port } = stub;
    await stub.close();
    const killedAt = Date.now();
    await untilState(page, 'no-server');
    assert.ok(Date.now() - killedAt < TOLD_WITHIN_MS, 'told within 5 s');
    stub = await startStubServer({ port });
    await untilState(page, 'live');
    assert.equal(await page.getAttribute('.chart', 'data-current'), 'true');
    const close = await page.textContent('#last-close');
    await page.waitForFunction(
      (text) => document.querySelector('#last-close')?.textContent !== text,
      close,
    );
    await page.context().close();
  });

  it('waits for the first candle with the reason, and draws it when it comes', async () => {
    await stub.close();
    stub = await startStubServer({ isEmpty: true });
    const { page } = await openPage(browser, stub.url, DESKTOP);
    await page.getByText('Waiting for the first candle of BTCUSDT').waitFor();
    const openTime = Math.floor(Date.now() / 60_000) * 60_000;
    const price = '90241.12000000';
    stub.send({
      type: 'update',
      symbol: 'BTCUSDT',
      interval: '1m',
      candles: [[openTime, price, price, price, price, '1.0', '1.0', 1, '1.0', '1.0', 1, 1, 0, 2]],
      eventTime: Date.now(),
      sentAt: Date.now(),
    });
    await untilDrawn(page);
    assert.equal(await page.textContent('#last-close'), '90241.12');
    await page.getByText('Waiting for the first candle').waitFor({ state: 'detached' });
    await page.context().close();
  });

  for (const [kind, word] of [
    ['simulated', 'SIMULATED'],
    ['recording', 'RECORDING'],
  ] as const) {
    it(`shows ${word} on the page and in the title (I10)`, async () => {
      await stub.close();
      stub = await startStubServer({ source: { kind, id: `${kind}:1`, label: `A ${kind}` } });
      const page = await openLive();
      assert.match((await page.textContent('.source-band')) ?? '', new RegExp(word));
      assert.match((await page.textContent('.strip-source')) ?? '', new RegExp(kind));
      await page.waitForFunction((badge) => document.title.startsWith(`[${badge}]`), word);
      await page.context().close();
    });
  }

  it('joins no candles of another source to those it held (I10)', async () => {
    const page = await openLive();
    const { port } = stub;
    await stub.close();
    await untilState(page, 'no-server');
    const source = { kind: 'simulated', id: 'simulated:7', label: 'Simulated' } as const;
    stub = await startStubServer({ port, source, isEmpty: true });
    await page.getByText('Waiting for the first candle').waitFor();
    assert.equal(await page.textContent('#last-close'), '');
    await page.context().close();
  });
});

async function untilState(page: Page, state: string): Promise<void> {
  await page.locator(`#status[data-state="${state}"]`).waitFor({ timeout: 15_000 });
}
