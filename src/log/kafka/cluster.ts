// Connections to a Kafka cluster: one request to the broker that is in charge, and who that is. Keeps no offsets, groups or transactions.
import {
  type API,
  Base,
  type BaseOptions,
  type ClusterMetadata,
  findCoordinatorV4,
} from '@platformatic/kafka';
import type { DurationMs } from '../../core/market/time.ts';
import { faultsOf } from './faults.ts';

export interface ConnectionSettings {
  /** host:port, one or more. */
  readonly servers: readonly string[];
  readonly tls?: NonNullable<BaseOptions['tls']>;
  readonly sasl?: NonNullable<BaseOptions['sasl']>;
}

const CONNECT_TIMEOUT_MS: DurationMs = 5_000;
/** Leaders seldom move, and who is not one any more says so. */
const METADATA_AGE_MS_MAX: DurationMs = 60_000;
/** A broker that is there but silent for so long is taken for gone. */
export const REQUEST_TIMEOUT_MS: DurationMs = 10_000;

const COORDINATOR_KEY_TYPES = { group: 0, transaction: 1 } as const;

export interface TopicPlaces {
  readonly id: string;
  /** Node that leads each partition, by its number. */
  readonly leaders: readonly number[];
}

/** Its own connections: a request that waits (a fetch, a join) holds up those behind it on the same one. */
export class Cluster {
  private readonly base: Base;
  private readonly coordinators = new Map<string, number>();

  constructor(
    { servers, tls, sasl }: ConnectionSettings,
    clientId: string,
    requestTimeoutMs: DurationMs = REQUEST_TIMEOUT_MS,
  ) {
    this.base = new Base({
      clientId,
      bootstrapBrokers: [...servers],
      // Who tries again is decided in one place: retry.ts.
      retries: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
      metadataMaxAge: METADATA_AGE_MS_MAX,
      ...(tls === undefined ? {} : { tls }),
      ...(sasl === undefined ? {} : { sasl }),
    });
  }

  /** @throws what faults.ts reads. */
  async request<Arguments extends unknown[], Answer>(
    node: number,
    api: API<Arguments, Answer>,
    ...args: Arguments
  ): Promise<Answer> {
    try {
      const { brokers } = this.base.currentMetadata ?? (await this.base.metadata({ topics: [] }));
      const broker = brokers.get(node);
      if (broker === undefined) {
        this.base.clearMetadata();
        await this.base.metadata({ topics: [] });
      }
      const connection = await this.base.connections.get(
        broker ?? this.base.currentMetadata?.brokers.get(node) ?? { host: '', port: 0 },
      );
      return await api.async(connection, ...args);
    } catch (error) {
      this.forgetWhatIsStale(error);
      throw error;
    }
  }

  /** Any broker: for what all of them answer. */
  async anyNode(): Promise<number> {
    const { brokers } = await this.metadata([]);
    const [node] = brokers.keys();
    return node ?? -1;
  }

  async controllerNode(): Promise<number> {
    const { controllerId } = await this.metadata([], true);
    return controllerId;
  }

  async topics(names: readonly string[]): Promise<ReadonlyMap<string, TopicPlaces>> {
    const { topics } = await this.metadata(names);
    const places = new Map<string, TopicPlaces>();
    for (const [name, topic] of topics) {
      places.set(name, { id: topic.id, leaders: topic.partitions.map(({ leader }) => leader) });
    }
    return places;
  }

  /** The broker in charge of a consumer group or a transactional id. */
  async coordinator(kind: keyof typeof COORDINATOR_KEY_TYPES, key: string): Promise<number> {
    const name = `${kind}:${key}`;
    const known = this.coordinators.get(name);
    if (known !== undefined) return known;
    const type = COORDINATOR_KEY_TYPES[kind];
    const answer = await this.request(await this.anyNode(), findCoordinatorV4.api, type, [key]);
    const node = answer.coordinators[0]?.nodeId ?? -1;
    this.coordinators.set(name, node);
    return node;
  }

  /** Ends what is under way. Idempotent. */
  async close(): Promise<void> {
    if (!this.base.closed) await this.base.close();
  }

  private async metadata(topics: readonly string[], forceUpdate = false): Promise<ClusterMetadata> {
    try {
      return await this.base.metadata({ topics: [...topics], forceUpdate });
    } catch (error) {
      this.forgetWhatIsStale(error);
      throw error;
    }
  }

  /** After an answer that says so: asks anew who leads what. */
  forgetWhatIsStale(error: unknown): void {
    const faults = faultsOf(error);
    const isMoved =
      faults.has('NETWORK') || [...faults].some((name) => /COORDINATOR|LEADER|TOPIC/.test(name));
    if (!isMoved) return;
    this.coordinators.clear();
    this.base.clearMetadata();
  }
}
