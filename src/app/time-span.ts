// `--from` and `--to`: a day, a time, or milliseconds; UTC, the start inclusive and the end not.
import { addMs, type Clock, type EpochMs, epochMs } from '../core/market/time.ts';
import { ConfigError } from './config.ts';

export interface SpanFlags {
  readonly from?: string;
  readonly to?: string;
}

export interface TimeSpan {
  readonly from?: EpochMs;
  /** Inclusive here. */
  readonly to?: EpochMs;
}

const DAY = /^\d{4}(-\d{2}(-\d{2})?)?$/;
const TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(\.\d{1,3})?(Z|[+-]\d{2}:\d{2})?$/;

/** @throws ConfigError with both faults. */
export function parseSpan(options: SpanFlags, clock: Pick<Clock, 'now'>): TimeSpan {
  const faults: string[] = [];
  const read = (name: string, text: string | undefined): EpochMs | undefined => {
    if (text === undefined) return undefined;
    const time = parseTime(text, clock);
    if (time === undefined) {
      faults.push(
        `--${name}: expected a day or time in UTC such as 2023-01-01, 2023-01-01T12:00 or now, was "${text}"`,
      );
    }
    return time;
  };
  const from = read('from', options.from);
  const end = read('to', options.to);
  if (from !== undefined && end !== undefined && end <= from) {
    faults.push(`--to: expected a time after --from, was "${options.to}"`);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return {
    ...(from === undefined ? {} : { from }),
    ...(end === undefined || end === 0 ? {} : { to: addMs(end, -1) }),
  };
}

function parseTime(text: string, clock: Pick<Clock, 'now'>): EpochMs | undefined {
  if (text === 'now') return clock.now();
  if (/^\d{10,16}$/.test(text)) return inRange(Number(text));
  if (DAY.test(text))
    return inRange(Date.parse(`${text}${'-01-01'.slice(text.length - 4)}T00:00Z`));
  if (!TIME.test(text)) return undefined;
  const hasZone = /(Z|[+-]\d{2}:\d{2})$/.test(text);
  return inRange(Date.parse(hasZone ? text : `${text}Z`));
}

function inRange(value: number): EpochMs | undefined {
  try {
    return epochMs(value);
  } catch {
    return undefined;
  }
}
