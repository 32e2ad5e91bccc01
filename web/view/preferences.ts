// What the reader chose and the browser remembers: theme and time zone. Where storage is refused, nothing is remembered.
import type { Theme } from '../chart/palette.ts';

export type ZoneChoice = 'local' | 'utc';

const THEME_KEY = 'wickstream.theme';
const ZONE_KEY = 'wickstream.zone';

/** The theme chosen before; undefined follows the system. */
export function storedTheme(): Theme | undefined {
  const text = read(THEME_KEY);
  return text === 'dark' || text === 'light' ? text : undefined;
}

export function storedZone(): ZoneChoice {
  return read(ZONE_KEY) === 'utc' ? 'utc' : 'local';
}

export function storeTheme(theme: Theme): void {
  write(THEME_KEY, theme);
}

export function storeZone(zone: ZoneChoice): void {
  write(ZONE_KEY, zone);
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // a browser that blocks storage throws: the defaults apply
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    return; // likewise: the choice lasts as long as the page
  }
}
