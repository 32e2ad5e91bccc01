// Where the real market data for tests lies, and what a test says that has to do without. For tests only.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const DIRECTORY = join(import.meta.dirname, '../../../../shared/data');

/** The path of a file of real data; where it is missing, `skip` is the reason, except on CI, where that is a failure. */
export function sharedData(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): {
  readonly path: string;
  readonly skip: string | false;
} {
  const file = join(DIRECTORY, path);
  const isMissing = !existsSync(file) && env['CI'] !== 'true';
  return { path: file, skip: isMissing ? `${path} is not there: real market data` : false };
}
