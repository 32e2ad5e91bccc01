// The disk under the data directory: a small one of its own where this user may mount one, else a limit on the size of the product's files.
// Fills it, frees it, makes it read-only; touches nothing outside its folder.
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

const SIZE_MIB = 64;
const REMOVE_RETRY_MS = 100;
const BALLAST_CHUNK = Buffer.alloc(64 * 1024);

export interface Disk extends AsyncDisposable {
  /** Where the product keeps its candles. */
  readonly dataDir: string;
  /** `mount`: a disk of its own; `limit`: only the size of files can be limited. */
  readonly kind: 'mount' | 'limit';
  /** No room is left, for the process `pid` at least. */
  fill(pid: number | undefined): Promise<void>;
  free(pid: number | undefined): Promise<void>;
  /** Only while nobody has files open for writing. False where this user can't. */
  setReadOnly(isReadOnly: boolean): Promise<boolean>;
}

export async function openDisk(wantsOwn: boolean): Promise<Disk> {
  const root = await mkdtemp(join(tmpdir(), 'wickstream-chaos-'));
  const isMounted = wantsOwn && (await succeeds('mount', mountArgs(root)));
  // Also where the run is broken off.
  const unmount = () => spawnSync('umount', ['--lazy', root]);
  if (isMounted) process.once('exit', unmount);
  const ballast = join(root, 'ballast');
  return {
    dataDir: join(root, 'data'),
    kind: isMounted ? 'mount' : 'limit',
    async fill(pid) {
      if (isMounted) await fillWith(ballast);
      else if (pid !== undefined) await limitFiles(pid, '0');
    },
    async free(pid) {
      if (isMounted) await removeLater(ballast);
      else if (pid !== undefined) await limitFiles(pid, 'unlimited');
    },
    async setReadOnly(isReadOnly) {
      if (!isMounted) return false;
      return succeeds('mount', ['-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, root]);
    },
    async [Symbol.asyncDispose]() {
      if (isMounted) unmount();
      process.off('exit', unmount);
      await rm(root, { recursive: true, force: true });
    },
  };
}

function mountArgs(root: string): readonly string[] {
  return ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'wickstream-chaos', root];
}

/** Only the soft limit: it can be taken back. Fails where the process has just ended: then there is nothing to limit. */
async function limitFiles(pid: number, bytes: string): Promise<void> {
  await succeeds('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
}

/** Until there is no room; a disk that is read-only just then has none. */
async function fillWith(path: string): Promise<void> {
  try {
    await using file = await open(path, 'w');
    for (;;) await file.write(BALLAST_CHUNK);
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'ENOSPC' && code !== 'EROFS') throw error;
  }
}

/** As soon as the disk is not read-only. */
async function removeLater(path: string): Promise<void> {
  while (!(await rm(path, { force: true }).then(() => true, isReadOnlyFault))) {
    await sleep(REMOVE_RETRY_MS);
  }
}

/** Answers false: not yet. */
function isReadOnlyFault(error: unknown): false {
  if (codeOf(error) === 'EROFS') return false;
  throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, [...args]).then(
    () => true,
    () => false,
  );
}
