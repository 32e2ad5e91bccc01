// The command line. Reads argv, environment and the config file once; everything else gets what it needs as arguments.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import type { CommandContext } from './commands/up.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { explain } from './explain.ts';
import { createLogger } from './logger.ts';
import type { Setting } from './setting.ts';
import { SETTINGS } from './settings.ts';
import { systemClock } from './system-clock.ts';
import { parseSpan, type SpanFlags } from './time-span.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** A clean end takes at most this long; what is not stored by then is fetched again at the next start. */
const STOP_DEADLINE_MS = 5_000;

/** Answers the exit code. */
type Run = (context: CommandContext) => Promise<number>;

type Show = (context: CommandContext) => Promise<void>;

/** What ends by itself has done what it was asked to. */
function asRun(show: Show): Run {
  return async (context) => {
    await show(context);
    return 0;
  };
}

async function main(argv: readonly string[]): Promise<void> {
  const version = readVersion();
  const program = new Command('wickstream')
    .description('Real-time crypto market analytics with candles you can prove.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(--help lists all settings)');

  withSettings(program.command('up', { isDefault: true }))
    .description('all stages in one process, and the dashboard')
    .action(async (_options: unknown, command: Command) => {
      const { up } = await import('./commands/up.ts');
      await execute(command, version, asRun(up));
    });
  withSettings(program.command('record <file>'))
    .description('write what the market sends to a file, for replay')
    .action(async (file: string, _options: unknown, command: Command) => {
      const { record } = await import('./commands/record.ts');
      await execute(
        command,
        version,
        asRun((context) => record(context, file)),
      );
    });
  withSettings(program.command('replay <file>'))
    .addOption(
      new Option('--speed <number>', 'times real time; max: as fast as it can').default('1'),
    )
    .description('show a recording as if it were live')
    .action(async (file: string, { speed }: { speed: string }, command: Command) => {
      const { parseSpeed, replay } = await import('./commands/replay.ts');
      const run: Show = (context) => replay(context, file, parseSpeed(speed));
      await execute(command, version, asRun(run));
    });
  withSpan(withSettings(program.command('verify')))
    .addOption(new Option('--repair', 'mend what differs; not beside a running product on SQLite'))
    .description("compare stored candles with the exchange's klines; exit code 1 on a difference")
    .action(async (options: SpanFlags & { readonly repair?: boolean }, command: Command) => {
      const { verify } = await import('./commands/verify.ts');
      const span = parseSpan(options, systemClock);
      const repair = options.repair === true;
      const print = (line: string) => void process.stdout.write(`${line}\n`);
      await execute(command, version, (context) => verify(context, span, { repair }, print));
    });
  withSettings(program.command('import <files...>'))
    .addOption(new Option('--symbol <symbol>', 'of files whose names do not say it'))
    .addOption(new Option('--interval <interval>', 'likewise'))
    .description('published klines (.csv, .csv.gz, .zip) or an export, into the store')
    .action(async (files: string[], options: Record<string, string>, command: Command) => {
      const { importFiles, parseGiven } = await import('./commands/import.ts');
      const given = parseGiven(options);
      const run: Show = (context) => importFiles(context, files, given);
      await execute(command, version, asRun(run));
    });
  withSpan(withSettings(program.command('export <file>')))
    .description('candles of the store as .csv, .csv.gz or .parquet')
    .action(async (file: string, options: Record<string, string>, command: Command) => {
      const { exportFile } = await import('./commands/export.ts');
      const span = parseSpan(options, systemClock);
      const run: Show = (context) => exportFile(context, file, span);
      await execute(command, version, asRun(run));
    });
  withSpan(withSettings(program.command('backfill')))
    .description('the exchange’s candles of the past into the store; goes on where it was ended')
    .action(async (options: SpanFlags, command: Command) => {
      const { backfillStore } = await import('./commands/backfill.ts');
      const span = parseSpan(options, systemClock);
      const run: Show = (context) => backfillStore(context, span);
      await execute(command, version, asRun(run));
    });
  for (const [name, text] of [
    ['backup', 'copy the databases of the data directory into a folder, also while in use'],
    ['restore', 'bring them back from such a folder; overwrites nothing'],
  ] as const) {
    withSettings(program.command(`${name} <folder>`))
      .description(text)
      .action(async (folder: string, _options: unknown, command: Command) => {
        const commands = await import('./commands/backup.ts');
        const run: Show = (context) => commands[name](context, folder);
        await execute(command, version, asRun(run));
      });
  }
  withStages(program, version);
  const [first = ''] = argv.slice(2);
  const names = program.commands.map((command) => command.name());
  if (first !== '' && !first.startsWith('-') && !['help', ...names].includes(first)) {
    throw new ConfigError([`expected one of the commands ${names.join(', ')}, was "${first}"`]);
  }
  await program.parseAsync(argv);
}

function withSpan(command: Command): Command {
  return command
    .addOption(new Option('--from <time>', 'first open time, UTC: 2023-01-01 or 2023-01-01T12:00'))
    .addOption(new Option('--to <time>', 'the end, not inclusive; now by default'));
}

/** Over Kafka, where each can be a process of its own. */
function withStages(program: Command, version: string): void {
  const add = (name: string, description: string, load: () => Promise<Show>): void => {
    withSettings(program.command(name))
      .description(description)
      .action(async ({ port }: { readonly port?: string }, command: Command) => {
        const show = await load();
        // `serve` listens anyway. The environment's PORT is that of the dashboard.
        const run: Show = (context) =>
          show(port === undefined ? context : { ...context, probePort: context.config.port });
        await execute(command, version, asRun(run));
      });
  };
  const stage = () => import('./commands/stage.ts');
  add('ingest', 'a market into Kafka', async () => (await stage()).ingestStage);
  add('aggregate', 'trades to candles, over Kafka', async () => {
    const { aggregateStage } = await import('./commands/aggregate.ts');
    return aggregateStage;
  });
  add('persist', 'candles from Kafka into the store', async () => (await stage()).persistStage);
  add('audit', 'our candles against the exchange’s own', async () => (await stage()).auditStage);
  add(
    'serve',
    'the dashboard and the APIs, from Kafka and the store',
    async () => (await import('./commands/serve.ts')).serveStage,
  );
  add('topics', 'create the topics in Kafka, and tell how they differ', async () => {
    const { topics } = await import('./commands/topics.ts');
    return topics;
  });
}

function withSettings(command: Command): Command {
  for (const { flag, argument, defaultText, help, env } of Object.values<Setting<unknown>>(
    SETTINGS,
  )) {
    const isLong = (defaultText?.length ?? 0) > 40;
    const byDefault = !defaultText
      ? ''
      : `, default ${isLong ? 'the public endpoints' : defaultText}`;
    command.addOption(
      new Option(`--${flag} ${argument}`, `${help} [${env.join(', ')}${byDefault}]`),
    );
  }
  return command
    .addOption(new Option('--config <file>', 'JSON file of settings, keys named as the flags'))
    .exitOverride()
    .allowExcessArguments(false);
}

async function execute(command: Command, version: string, run: Run): Promise<void> {
  const config = configOf(command);
  const logger = createLogger(config);
  const stop = new AbortController();
  let asked = 0;
  const onSignal = () => {
    asked += 1;
    if (asked > 1) process.exit(EXIT_FAILED);
    stop.abort();
    setTimeout(() => {
      logger.warn(`Not ended ${STOP_DEADLINE_MS / 1_000} s after it was asked to: leaving`);
      process.exit(EXIT_FAILED);
    }, STOP_DEADLINE_MS).unref();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    process.exit(await run({ config, logger, version, signal: stop.signal }));
  } catch (error) {
    const { message, exitCode } = explain(error, config);
    if (message === undefined) logger.fatal(error);
    else logger.error(message);
    process.exit(exitCode);
  }
}

/** @throws ConfigError */
function configOf(command: Command): Config {
  const options = command.opts<Record<string, string | undefined>>();
  const flags: Record<string, string | undefined> = {};
  for (const { flag } of Object.values<Setting<unknown>>(SETTINGS)) {
    flags[flag] =
      options[command.options.find(({ long }) => long === `--${flag}`)?.attributeName() ?? flag];
  }
  const path = options['config'] ?? process.env['WICKSTREAM_CONFIG'];
  const file = path === undefined ? {} : { file: { path, json: readJson(path) } };
  return readConfig({
    flags,
    env: process.env,
    ...file,
    isTerminal: process.stderr.isTTY === true,
  });
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`--config ${path}: cannot be read as JSON (${reason})`]);
  }
}

function readVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

try {
  await main(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said it already; its own code 1 means wrong usage.
    process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
  }
  if (error instanceof ConfigError) {
    process.stderr.write(`${error.faults.map((fault) => `wickstream: ${fault}`).join('\n')}\n`);
    process.exit(EXIT_USAGE);
  }
  throw error;
}
