// What went wrong with a request to Kafka, by the protocol's own names, and what that means for who asked. Sends nothing.
import { GenericError, MultipleErrors } from '@platformatic/kafka';

/** Partitions that refused, by the protocol's names of why; the others may have answered. */
export class PartitionFault extends Error {
  override readonly name = 'PartitionFault';
  readonly faults: ReadonlySet<string>;

  constructor(faults: ReadonlySet<string>, where: string) {
    super(`${[...faults].join(', ')} at ${where}`);
    this.faults = faults;
  }
}

/** The protocol's error names in `error` and its causes; `NETWORK` where the broker did not answer at all. */
export function faultsOf(error: unknown): Set<string> {
  const names = new Set<string>();
  collect(error, names);
  return names;
}

/** The broker, or the connection to it, is at fault: the same request may do a moment later. */
const PASSING: ReadonlySet<string> = new Set([
  'NETWORK',
  'BROKER_NOT_AVAILABLE',
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  // A broker that has just started is not counted yet.
  'INVALID_REPLICATION_FACTOR',
  'FENCED_LEADER_EPOCH',
  'KAFKA_STORAGE_ERROR',
  'LEADER_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'NOT_CONTROLLER',
  'NOT_COORDINATOR',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NOT_LEADER_OR_FOLLOWER',
  'OFFSET_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
  'THROTTLING_QUOTA_EXCEEDED',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNSTABLE_OFFSET_COMMIT',
]);

/** The group has moved on without us: join again. */
const REJOIN: ReadonlySet<string> = new Set([
  'FENCED_MEMBER_EPOCH',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
  'UNKNOWN_MEMBER_ID',
]);

/** Another producer has taken our transactional id, or the transaction is over without us: nothing of it counts. */
const FENCED: ReadonlySet<string> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'PRODUCER_FENCED',
  'TRANSACTION_ABORTABLE',
]);

/** The broker does not know our producer's numbering (any more): a new producer id, and the same records again. */
const LOST_SEQUENCE: ReadonlySet<string> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'PRODUCER_FENCED',
  'UNKNOWN_PRODUCER_ID',
]);

export function isPassing(error: unknown): boolean {
  return hasAny(error, PASSING);
}

export function needsRejoin(error: unknown): boolean {
  return hasAny(error, REJOIN);
}

export function isFenced(error: unknown): boolean {
  return hasAny(error, FENCED);
}

export function hasLostSequence(error: unknown): boolean {
  return hasAny(error, LOST_SEQUENCE);
}

/** Kafka is there and does not let us in. */
const REFUSED: ReadonlySet<string> = new Set([
  'CLUSTER_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'ILLEGAL_SASL_STATE',
  'SASL_AUTHENTICATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
]);

/** Node's codes for a certificate it does not take. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ISSUER/;

/** What to change, where we are not let in; undefined where that is not what went wrong. */
export function remedyOf(error: unknown): string | undefined {
  if (hasCode(error, CERTIFICATE)) return 'name whom to trust with --kafka-ca';
  for (const name of faultsOf(error)) {
    if (!REFUSED.has(name)) continue;
    return name.includes('AUTHORIZATION')
      ? 'allow it to this user in Kafka'
      : 'check --kafka-sasl, --kafka-username and --kafka-password';
  }
  return undefined;
}

function hasCode(error: unknown, pattern: RegExp): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && pattern.test(String(error.code))) return true;
  const inner: unknown[] = error instanceof MultipleErrors ? error.errors : [];
  return [...inner, error.cause].some((each) => hasCode(each, pattern));
}

/** One line for the console, without a stack: the deepest reason is the one that helps. */
export function reasonOf(error: unknown): string {
  if (error instanceof MultipleErrors && error.errors[0] !== undefined) {
    return reasonOf(error.errors[0]);
  }
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const id = 'apiId' in error ? `${String(error['apiId'])}: ` : '';
  return `${id}${error.message}`.replace(/\.$/, '');
}

function hasAny(error: unknown, names: ReadonlySet<string>): boolean {
  for (const name of faultsOf(error)) if (names.has(name)) return true;
  return false;
}

const UNREACHABLE = ['PLT_KFK_NETWORK', 'PLT_KFK_TIMEOUT', 'PLT_KFK_UNEXPECTED_CORRELATION_ID'];

function collect(error: unknown, names: Set<string>): void {
  if (error instanceof PartitionFault) for (const name of error.faults) names.add(name);
  if (!(error instanceof Error) || !GenericError.isGenericError(error)) return;
  const id: unknown = error['apiId'];
  if (typeof id === 'string') names.add(id);
  else if (UNREACHABLE.includes(error.code)) names.add('NETWORK');
  else if (error.message.startsWith('Unknown topic ')) names.add('UNKNOWN_TOPIC_OR_PARTITION');
  if (error instanceof MultipleErrors) for (const one of error.errors) collect(one, names);
  if (error.cause !== undefined) collect(error.cause, names);
}
