// Types of broker.mjs for the integration tests and benches.

export interface Broker {
  /** What clients connect to: host:port. */
  readonly servers: string;
  /** With `security`: the same broker by TLS and a login. */
  readonly secureServers: string | undefined;
  readonly pid: number;
  /** Brings it back on the same port and folder. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  signal(name: NodeJS.Signals): boolean;
}

export interface BrokerSecurity {
  /** A PKCS12 file. */
  readonly keystore: string;
  readonly keystorePassword: string;
  readonly username: string;
  readonly password: string;
}

export const LIBRARY_DIR: string;
export function missingForKafka(): Promise<string | undefined>;
export function fetchBroker(): Promise<void>;
export function startBroker(options: {
  readonly dir: string;
  readonly port?: number;
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  readonly security?: BrokerSecurity;
}): Promise<Broker>;
