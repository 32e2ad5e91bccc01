// `wickstream backup <folder>` and `restore <folder>`: every database of the data directory, whole, also while it is in use.
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { copyDatabase } from '../../store/sqlite/copy-database.ts';
import { ConfigError } from '../config.ts';
import { FileError } from '../files/file-error.ts';
import type { CommandContext } from './up.ts';

export async function backup(context: CommandContext, folder: string): Promise<void> {
  await copyAll(context, context.config.dataDir, folder);
}

/** Not into a data directory with databases of the same names: nothing is overwritten. */
export async function restore(context: CommandContext, folder: string): Promise<void> {
  await copyAll(context, folder, context.config.dataDir);
}

async function copyAll(context: CommandContext, from: string, to: string): Promise<void> {
  const { config, logger, signal } = context;
  if (config.databaseUrl !== undefined) {
    throw new ConfigError([
      '--database-url (DATABASE_URL): expected a data directory, a PostgreSQL database is saved with pg_dump and restored with pg_restore',
    ]);
  }
  const names = await databasesIn(from);
  await mkdir(to, { recursive: true });
  for (const name of names) {
    if (signal.aborted) return logger.warn('Ended early: run it again into an empty folder');
    await copyDatabase(join(from, name), join(to, name));
    const { size } = await stat(join(to, name));
    logger.info(`${name}: ${(size / 1_048_576).toFixed(1)} MiB, whole, in ${to}`);
  }
}

async function databasesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new FileError(`Expected a folder with databases: ${String(cause)}`, { cause });
  });
  const databases = names.filter((name) => name.endsWith('.db')).sort();
  if (databases.length > 0) return databases;
  throw new FileError(`Expected databases (.db) in ${folder}, there are none`);
}
