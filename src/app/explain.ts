// A failure as the one line a user can act on; undefined where only a stack trace helps (a bug).
import { FeedError } from '../feed/market-feed.ts';
import { LogError } from '../log/log.ts';
import { StoreError } from '../store/candle-store.ts';
import { type Config, ConfigError } from './config.ts';
import { FileError } from './files/file-error.ts';

export interface Explanation {
  readonly message: string | undefined;
  readonly exitCode: 1 | 2;
}

export function explain(error: unknown, config: Pick<Config, 'host' | 'port'>): Explanation {
  if (error instanceof ConfigError) return { message: error.message, exitCode: 2 };
  if (isExplained(error)) {
    return { message: error.message, exitCode: 1 };
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const { host, port } = config;
  switch (code) {
    case 'EADDRINUSE':
      return {
        message: `Port ${port} on ${host} is taken: stop what uses it, or choose another with --port`,
        exitCode: 1,
      };
    case 'EACCES':
      return {
        message: `Port ${port} on ${host} may not be used by this user: choose one above 1023 with --port`,
        exitCode: 1,
      };
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return {
        message: `${host} is no address of this machine: choose another with --host`,
        exitCode: 1,
      };
    default:
      return { message: undefined, exitCode: 1 };
  }
}

/** Their messages say what to do. */
function isExplained(error: unknown): error is Error {
  return [FeedError, StoreError, LogError, FileError].some((kind) => error instanceof kind);
}
