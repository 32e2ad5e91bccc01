// What the chart has drawn, by colour: the only way to ask a canvas.
import type { Page } from 'playwright-core';

/** How many pixels of the chart's canvases have each opaque colour, as `r,g,b`; of the lowest `footPx` rows where given. */
export async function canvasColors(page: Page, footPx?: number): Promise<Map<string, number>> {
  await page.waitForTimeout(300);
  const entries = await page.evaluate((foot) => {
    const counts = new Map<string, number>();
    const drawn = [...document.querySelectorAll('canvas')].filter(
      // The axes have canvases too.
      ({ width, height }) => width > 0 && height > (foot === undefined ? 0 : 200),
    );
    for (const canvas of drawn) {
      const { width, height } = canvas;
      const rows = foot ?? height;
      const data = canvas.getContext('2d')?.getImageData(0, height - rows, width, rows).data;
      for (let at = 0; data !== undefined && at < data.length; at += 4) {
        if (data[at + 3] !== 255) continue;
        const color = `${data[at]},${data[at + 1]},${data[at + 2]}`;
        counts.set(color, (counts.get(color) ?? 0) + 1);
      }
    }
    return [...counts];
  }, footPx);
  return new Map(entries);
}
