// A date and a time as the reader writes them ↔ epoch ms, in UTC or local time. Pure: the zone is an argument.
import type { ZoneOffset } from '../chart/wall-clock.ts';

export interface DateTexts {
  /** `2024-03-10`, as an input of type `date` has it. */
  readonly date: string;
  /** `14:05`; empty is midnight. */
  readonly time: string;
}

/** Undefined where it is no date, or before 1970. Of a time that the clock had twice, the second. */
export function momentOf({ date, time }: DateTexts, zone: ZoneOffset): number | undefined {
  const wall = Date.parse(`${date}T${time === '' ? '00:00' : time}Z`);
  if (Number.isNaN(wall) || !date.startsWith(new Date(wall).toISOString().slice(0, 10))) {
    return undefined;
  }
  // The offset depends on the moment: after a second look it is the right one, save within a change of the clock.
  const near = wall - zone(wall);
  const moment = wall - zone(near);
  return moment < 0 ? undefined : moment;
}

/** As `momentOf` reads them. */
export function textsOf(moment: number, zone: ZoneOffset): DateTexts {
  const wall = new Date(moment + zone(moment)).toISOString();
  return { date: wall.slice(0, 10), time: wall.slice(11, 16) };
}
