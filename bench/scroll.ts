// From the newest candle back to the first, as a reader drags: real minutes of 32 months in SQLite, in headless Chromium. What came is compared with what is kept; frames and memory are measured.
// Usage: npm run bench:scroll -- [months, default 32]; needs ../shared/data.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CDPSession, Page } from 'playwright-core';
import { importCandles } from '../src/app/files/import-candles.ts';
import { listFiles } from '../src/app/files/list-files.ts';
import { INTERVALS } from '../src/core/market/interval.ts';
import type { Source } from '../src/core/market/source.ts';
import { addMs, epochMs, MINUTE_MS } from '../src/core/market/time.ts';
import type { CandleStore } from '../src/store/candle-store.ts';
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts';
import { launchChromium } from '../test/browser/chromium.ts';
import { BTCUSDT } from '../test/contracts/candle-store-contract.ts';
import { SHARED_DATA } from '../test/fake-exchange/recorded.ts';
import type {} from '../web/dashboard/bench-probe.ts';
import { startHistoryServer } from './history-server.ts';
import { machineLine, percentile } from './machine.ts';

const MONTHS = Number(process.argv[2] ?? 32);
const FRAME_MS_MAX = 50;
const TRACED_DRAGS = 12;
const source: Source = { kind: 'binance', host: 'binance.com' };

console.log(machineLine());
const folder = mkdtempSync(join(tmpdir(), 'bench-scroll-'));
const browser = await launchChromium();
try {
  await using store = await openSqliteStore({ path: join(folder, 'candles.db'), source });
  const count = await fill(store);
  await using server = await startHistoryServer(store, BTCUSDT, source);
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${server.url}/?symbol=BTCUSDT&interval=1m&bench=1`);
  await page.waitForFunction(() => document.querySelector('#last-close')?.textContent !== '');
  const devtools = await page.context().newCDPSession(page);
  console.log(`${count} minutes of ${MONTHS} months`);
  const still = await framesDuring(page, () => page.waitForTimeout(3_000));
  console.log(`at rest:   ${frameLine(still)}`);
  await zoomOut(page);
  const cpu = await cpuDuring(page, async () => {
    for (let turn = 0; turn < TRACED_DRAGS; turn++) await drag(page);
  });
  console.log(`${TRACED_DRAGS} drags: ${cpu}`);
  await page.locator('.go-live').click();
  await page.waitForTimeout(500);
  const found = await scrollBack(page, devtools);
  console.log(`scrolling: ${frameLine(found.frames)}`);
  console.log(
    `  ${found.steps} drags, ${(found.ms / 1_000).toFixed(0)} s; heap ${found.heapMiB.map((each) => each.toFixed(0)).join(', ')} MiB, at most ${found.rowsMax} rows held`,
  );
  await check(store, found.spans);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}

async function fill(store: CandleStore): Promise<number> {
  const given = { symbol: undefined, interval: undefined };
  const files = await listFiles([join(SHARED_DATA, 'klines/BTCUSDT_1m')], given);
  const { read } = await importCandles({
    ...{ files: files.slice(-MONTHS), store, source, intervals: INTERVALS },
    onFile: () => undefined,
    onRefused: assert.fail,
    signal: new AbortController().signal,
  });
  return read;
}

interface Frames {
  /** From one frame's start to the next, ms. */
  readonly gaps: readonly number[];
}

async function framesDuring(page: Page, act: () => Promise<unknown>): Promise<Frames> {
  await page.evaluate(() => {
    const seen = { gaps: [] as number[], isOn: true };
    let last = 0;
    const tick = (now: number) => {
      if (last > 0) seen.gaps.push(now - last);
      last = now;
      if (seen.isOn) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    Object.assign(window, { seenFrames: seen });
  });
  await act();
  return page.evaluate(() => {
    const seen = (window as unknown as { seenFrames: Frames & { isOn: boolean } }).seenFrames;
    seen.isOn = false;
    return { gaps: seen.gaps };
  });
}

function frameLine({ gaps }: Frames): string {
  const sorted = [...gaps].sort((a, b) => a - b);
  const shares = [0.5, 0.99, 1]
    .map(
      (share) =>
        `${share === 1 ? 'max' : `p${share * 100}`} ${percentile(sorted, share).toFixed(0)}`,
    )
    .join(', ');
  const over = gaps.filter((gap) => gap > FRAME_MS_MAX).length;
  return `${gaps.length} frames, ms ${shares}; ${over} over ${FRAME_MS_MAX} ms`;
}

/** CPU time of the page's tasks, by the browser's own trace: what a busy machine adds is not in it. */
async function cpuDuring(page: Page, act: () => Promise<unknown>): Promise<string> {
  await browser.startTracing(page, { categories: ['toplevel'] });
  await act();
  const trace: { traceEvents: TraceEvent[] } = JSON.parse(String(await browser.stopTracing()));
  const own = trace.traceEvents.filter(
    ({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain',
  );
  const threads = new Set(own.map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = trace.traceEvents
    .filter(({ pid, tid, tdur }) => threads.has(`${pid} ${tid}`) && tdur !== undefined)
    .map(({ tdur = 0 }) => tdur / 1_000)
    .sort((a, b) => a - b);
  const over = tasks.filter((ms) => ms > FRAME_MS_MAX).length;
  const longest = tasks.slice(-8).map((ms) => ms.toFixed(0));
  return `${tasks.length} tasks, ${over} of more than ${FRAME_MS_MAX} ms of CPU time, the longest ${longest.join(', ')}`;
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** CPU time, µs. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** As far as it goes: a pixel a candle. */
async function zoomOut(page: Page): Promise<void> {
  await page.mouse.move(1_300, 400);
  for (let turn = 0; turn < 30; turn++) await page.mouse.wheel(0, 400);
  await page.waitForTimeout(500);
}

interface Scroll {
  readonly frames: Frames;
  readonly steps: number;
  readonly ms: number;
  readonly heapMiB: readonly number[];
  readonly rowsMax: number;
  readonly spans: readonly (readonly [from: number, to: number])[];
}

async function scrollBack(page: Page, devtools: CDPSession): Promise<Scroll> {
  const spans: [number, number][] = [];
  const heapMiB: number[] = [];
  let rowsMax = 0;
  let steps = 0;
  const startedAt = performance.now();
  const frames = await framesDuring(page, async () => {
    for (let still = 0; still < 3; steps++) {
      const before = await held(page);
      spans.push([before.viewFrom, before.viewTo]);
      rowsMax = Math.max(rowsMax, before.rows);
      if (steps % 100 === 0) heapMiB.push(await heap(devtools));
      await drag(page);
      const after = await held(page);
      still = after.viewFrom === before.viewFrom && !after.hasOlder ? still + 1 : 0;
    }
  });
  heapMiB.push(await heap(devtools));
  return { frames, steps, ms: performance.now() - startedAt, heapMiB, rowsMax, spans };
}

function held(page: Page) {
  return page.evaluate(() => {
    const view = window.__wickstreamView?.();
    if (view === undefined) throw new Error('The page shows no view: is it opened with bench=1?');
    return view;
  });
}

async function drag(page: Page): Promise<void> {
  await page.mouse.move(200, 400);
  await page.mouse.down();
  await page.mouse.move(1_200, 400, { steps: 10 });
  await page.mouse.up();
}

async function heap(devtools: CDPSession): Promise<number> {
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  return usedSize / 1_048_576;
}

/** No jump: each view overlaps the one before. No gap: together they reach from the first minute kept to the last. */
async function check(store: CandleStore, spans: Scroll['spans']): Promise<void> {
  const query = { symbol: BTCUSDT, interval: '1m', limit: 1 } as const;
  const [first] = await store.read({ ...query, take: 'first' });
  const [last] = await store.read({ ...query, take: 'last' });
  let jumps = 0;
  for (const [index, [, to]] of spans.entries()) {
    const [from = 0] = spans[index - 1] ?? [];
    if (index > 0 && to < from - MINUTE_MS) jumps += 1;
  }
  const reached = Math.min(...spans.map(([from]) => from));
  const day = (time: number) => new Date(time).toISOString().slice(0, 16);
  const isAll = first?.openTime === reached && spans[0]?.[1] === last?.openTime;
  const span = { from: first?.openTime ?? epochMs(0), to: addMs(last?.openTime ?? epochMs(0), 1) };
  const holes = await store.holes({ symbol: BTCUSDT, interval: '1m', ...span, limit: 1_000 });
  console.log(
    `from ${day(last?.openTime ?? 0)} back to ${day(reached)}: ${isAll ? 'every minute was in view' : 'NOT all was in view'}, ${jumps} jumps; the exchange itself left out ${holes.length} spans`,
  );
  process.exitCode = isAll && jumps === 0 ? 0 : 1;
}
