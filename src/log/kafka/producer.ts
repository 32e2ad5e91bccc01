// Writes records so that each is in the log once: acknowledged by all replicas, numbered, sent again until it is there.
// One send at a time, so that order holds, and so that the producer id and its numbers are always drawn together: see decisions/0013.
// Transactions are transaction.ts.

import { initProducerIdV4 } from '@platformatic/kafka';
import { LogError } from '../log.ts';
import type { Cluster } from './cluster.ts';
import { hasLostSequence, PartitionFault } from './faults.ts';
import { type PartitionAnswer, type PartitionBatch, produceApi } from './produce-api.ts';
import { type RetryOptions, retry } from './retry.ts';
import {
  type NextSequences,
  type ProducerIdentity,
  SequencedBatches,
  type TargetRecord,
} from './sequenced-batches.ts';

/** How long a broker may wait for its replicas. */
export const PRODUCE_TIMEOUT_MS = 5_000;
/** Unused without a transactional id, but asked for. */
const NO_TRANSACTION_TIMEOUT_MS = 60_000;

export class Producer {
  private readonly cluster: Cluster;
  private identity: ProducerIdentity | undefined;
  private sequences: NextSequences = new Map();
  private last: Promise<unknown> = Promise.resolve();

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  /** In the order of the calls. @throws LogError, and the signal's reason: some of the records may be written then. */
  send(records: readonly TargetRecord[], options: RetryOptions): Promise<void> {
    const sent = this.last.then(() => this.sendNow(records, options));
    this.last = sent.catch(() => undefined);
    return sent;
  }

  private async sendNow(records: readonly TargetRecord[], options: RetryOptions): Promise<void> {
    const batches = new SequencedBatches(records);
    while (!batches.isDone) {
      await retry('write', options, () => this.attempt(batches));
    }
  }

  private async attempt(batches: SequencedBatches): Promise<void> {
    this.identity ??= await this.init(batches);
    const { identity, sequences } = this;
    try {
      await sendBatches({
        cluster: this.cluster,
        batches: batches.next(identity, sequences, false),
        transactionalId: null,
        onWritten: ({ topic, partition }) => batches.written(topic, partition, sequences),
      });
    } catch (error) {
      if (!hasLostSequence(error)) throw error;
      // The numbering is lost, so what is not acknowledged goes again under another id: doubled at
      // worst, which readers see by the trades' own ids; never missing.
      this.identity = undefined;
    }
  }

  private async init(batches: SequencedBatches): Promise<ProducerIdentity> {
    const { cluster } = this;
    const node = await cluster.anyNode();
    const answer = await cluster.request(
      node,
      initProducerIdV4.api,
      // The package's type wants a text; the protocol's null is "no transactional id".
      null as unknown as string,
      NO_TRANSACTION_TIMEOUT_MS,
      -1n,
      -1,
    );
    this.sequences = new Map();
    batches.renumber();
    return { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
  }
}

export interface SendBatches {
  readonly cluster: Cluster;
  readonly batches: readonly PartitionBatch[];
  readonly transactionalId: string | null;
  readonly onWritten: (answer: PartitionAnswer) => void;
}

/** To the leaders of their partitions, all at once. @throws PartitionFault or what the cluster throws, after every answer is in. */
export async function sendBatches(options: SendBatches): Promise<void> {
  const { cluster, batches, transactionalId, onWritten } = options;
  const places = await cluster.topics([...new Set(batches.map(({ topic }) => topic))]);
  const byLeader = new Map<number, PartitionBatch[]>();
  for (const each of batches) {
    const leader = places.get(each.topic)?.leaders[each.partition] ?? -1;
    byLeader.set(leader, [...(byLeader.get(leader) ?? []), each]);
  }
  const requests = [...byLeader].map(async ([leader, own]) => {
    const answers = await cluster.request(
      leader,
      produceApi,
      transactionalId,
      PRODUCE_TIMEOUT_MS,
      own,
    );
    const faults = new Set<string>();
    for (const answer of answers) {
      // The broker has it already, from an attempt whose answer was lost.
      const isWritten = answer.fault === undefined || answer.fault === 'DUPLICATE_SEQUENCE_NUMBER';
      if (isWritten) onWritten(answer);
      else faults.add(answer.fault ?? '');
    }
    if (faults.size === 0) return;
    const fault = produceFault(faults, own);
    cluster.forgetWhatIsStale(fault);
    throw fault;
  });
  for (const end of await Promise.allSettled(requests)) {
    if (end.status === 'rejected') throw end.reason;
  }
}

function produceFault(faults: ReadonlySet<string>, batches: readonly PartitionBatch[]): Error {
  const where = [...new Set(batches.map(({ topic }) => topic))].join(', ');
  if (faults.has('MESSAGE_TOO_LARGE')) {
    return new LogError(
      'too-large',
      `Kafka refuses a batch for ${where} as too large: raise the topic's max.message.bytes to 1 MiB or more`,
    );
  }
  return new PartitionFault(faults, where);
}
