// A whole copy of a database file, also while another process writes it: by SQLite's own online backup, checked, and there only when it is whole. Overwrites nothing.
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { backup, DatabaseSync } from 'node:sqlite';
import { StoreError } from '../candle-store.ts';
import { checkIsOurs, withStoreErrors } from './open-database.ts';

/** Pages copied at a time: writers wait for so many at most. */
const PAGES_AT_ONCE = 1_000;

/** @throws StoreError where `from` is no whole database of ours, or `to` cannot be made or is there. */
export async function copyDatabase(from: string, to: string): Promise<void> {
  if (existsSync(to)) {
    throw new StoreError(
      'unwritable',
      `"${to}" is there already: nothing is overwritten, move it away or choose another folder`,
    );
  }
  const part = `${to}.part`;
  try {
    await copy(from, part);
    withStoreErrors(part, () => checkCopy(part));
    await rename(part, to);
  } finally {
    for (const rest of ['', '-wal', '-shm', '-journal']) await rm(part + rest, { force: true });
  }
}

async function copy(from: string, part: string): Promise<void> {
  const database = withStoreErrors(from, () => new DatabaseSync(from, { readOnly: true }));
  try {
    withStoreErrors(from, () => checkIsOurs(from, database));
    await backup(database, part, { rate: PAGES_AT_ONCE });
  } catch (error) {
    withStoreErrors(from, () => {
      throw error;
    });
  } finally {
    database.close();
  }
}

/** Reads all of it: a copy that is not whole is none. */
function checkCopy(part: string): void {
  const database = new DatabaseSync(part);
  try {
    const answer = Object.values(database.prepare('PRAGMA integrity_check(1)').get() ?? {})[0];
    if (answer === 'ok') return;
    throw new StoreError(
      'damaged',
      `The copy is damaged (${answer}): so is the database, restore an older copy`,
    );
  } finally {
    database.close();
  }
}
