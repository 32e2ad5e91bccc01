// Flags, environment and config file → one frozen object. Reports all faults at once, each naming the value and where it came from.
import { INTERVALS, type Interval } from '../core/market/interval.ts';
import type { Setting } from './setting.ts';
import { SETTINGS, type SettingName, type SourceChoice } from './settings.ts';

type ValueOf<S> = S extends Setting<infer T> ? T : never;
type Values = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> };
type OptionalKafka =
  | 'kafka'
  | 'kafkaCa'
  | 'kafkaCertificate'
  | 'kafkaKey'
  | 'kafkaSasl'
  | 'kafkaUsername'
  | 'kafkaPassword';
type Optional =
  | OptionalKafka
  | 'accessToken'
  | 'databaseUrl'
  | 'keepTradesMs'
  | 'tradesPerSecond'
  | 'proxy';

export type Config = Readonly<Omit<Values, Optional | 'source'>> & {
  readonly [Name in OptionalKafka]: Values[Name] | undefined;
} & {
  readonly source: SourceChoice;
  readonly accessToken: string | undefined;
  readonly databaseUrl: string | undefined;
  /** Undefined: trades are not kept. */
  readonly keepTradesMs: number | undefined;
  readonly proxy: string | undefined;
  readonly tradesPerSecond: number | undefined;
};

const NO_KAFKA: Readonly<Record<OptionalKafka, undefined>> = {
  kafka: undefined,
  kafkaCa: undefined,
  kafkaCertificate: undefined,
  kafkaKey: undefined,
  kafkaSasl: undefined,
  kafkaUsername: undefined,
  kafkaPassword: undefined,
};

export interface ConfigInput {
  /** As given on the command line, by the flag's name without dashes. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Parsed JSON of the config file, keys named as the flags; undefined where there is none. */
  readonly file?: { readonly path: string; readonly json: unknown };
  readonly isTerminal: boolean;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/** @throws ConfigError with every fault found. */
export function readConfig(input: ConfigInput): Config {
  const faults: string[] = [];
  const file = fileEntries(input, faults);
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const found = find(setting, input, file);
    if (found === undefined) continue;
    const parsed = setting.parse(found.text);
    if ('value' in parsed) values[name] = parsed.value;
    else
      faults.push(
        `${found.origin}: ${setting.secret && parsed.fault.includes(found.text) ? 'not a usable value' : parsed.fault}`,
      );
  }
  if (faults.length > 0) throw new ConfigError(faults);
  const config = {
    logFormat: input.isTerminal ? 'pretty' : 'json',
    ...NO_KAFKA,
    accessToken: undefined,
    databaseUrl: undefined,
    keepTradesMs: undefined,
    proxy: undefined,
    tradesPerSecond: undefined,
    ...values,
  } as Config;
  return Object.freeze({ ...config, intervals: withBases(config.intervals) });
}

interface Found {
  readonly text: string;
  readonly origin: string;
}

function find(
  setting: Setting<unknown>,
  input: ConfigInput,
  file: ReadonlyMap<string, string>,
): Found | undefined {
  const flag = input.flags[setting.flag];
  if (flag !== undefined) return { text: flag, origin: `--${setting.flag}` };
  for (const name of setting.env) {
    const text = input.env[name];
    if (text !== undefined && text !== '') return { text, origin: name };
  }
  const text = file.get(setting.flag);
  if (text !== undefined) {
    return { text, origin: `${input.file?.path}: "${setting.flag}"` };
  }
  if (setting.defaultText === undefined) return undefined;
  return { text: setting.defaultText, origin: `default of --${setting.flag}` };
}

/** `{"symbols": ["BTCUSDT"], "port": 8501}`: values as text, numbers, or lists of texts. */
function fileEntries(input: ConfigInput, faults: string[]): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  if (input.file === undefined) return entries;
  const { path, json } = input.file;
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    faults.push(`${path}: expected a JSON object of settings`);
    return entries;
  }
  const known = new Set(Object.values<Setting<unknown>>(SETTINGS).map(({ flag }) => flag));
  for (const [key, value] of Object.entries(json)) {
    if (!known.has(key)) faults.push(`${path}: "${key}" is no setting`);
    else if (typeof value === 'string' || typeof value === 'number') entries.set(key, `${value}`);
    else if (Array.isArray(value)) entries.set(key, value.join(','));
    else faults.push(`${path}: "${key}": expected text, a number or a list`);
  }
  return entries;
}

/** 1m is what a restart goes on from, 1d what the longer ones are rolled up from: they are always kept. */
function withBases(intervals: readonly Interval[]): readonly Interval[] {
  const wanted = new Set<Interval>([...intervals, '1m']);
  if (wanted.has('3d') || wanted.has('1w') || wanted.has('1M')) wanted.add('1d');
  return INTERVALS.filter((interval) => wanted.has(interval));
}
