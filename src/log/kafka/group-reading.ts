// Reading as a member of a group: shares of the partitions, positions the group has committed, outputs in transactions with them.
import type { AnyLogRecord } from '../log.ts';
import type { Cluster } from './cluster.ts';
import type { PartitionPosition } from './fetcher.ts';
import type { CommittedPosition, GroupMember } from './group-member.ts';
import type { AssignmentChange, Reading } from './kafka-consumer.ts';
import { offsetsAt } from './offsets.ts';
import { type RetryOptions, retry } from './retry.ts';
import type { TargetRecord } from './sequenced-batches.ts';
import { fenceTransactionalId, Transactions } from './transaction.ts';

export interface GroupReadingOptions {
  readonly member: GroupMember;
  readonly cluster: Cluster;
  /**
   * It keeps state in the log: its name goes beside each position before it writes anything, so that
   * whoever takes over after its death knows whose transaction to end.
   */
  readonly isStateful: boolean;
  readonly targetsOf: (records: readonly AnyLogRecord[]) => Promise<readonly TargetRecord[]>;
  readonly retry: RetryOptions;
  readonly onClose: () => Promise<void>;
}

export class GroupReading implements Reading {
  private readonly options: GroupReadingOptions;
  private partitions: readonly number[] = [];
  private members: readonly string[] = [];
  /** As the group has them, by our own last commit or the assignment. */
  private committed = new Map<string, number>();
  private transactions: Transactions | undefined;
  /** A commit did not count: what was read since the one before is read again. */
  private isVoid = false;

  constructor(options: GroupReadingOptions) {
    this.options = options;
  }

  get isStale(): boolean {
    return this.options.member.needsJoin || this.isVoid;
  }

  async assign(): Promise<AssignmentChange> {
    for (;;) {
      const change = await this.assignOnce();
      if (change !== undefined) return change;
    }
  }

  async commit(
    positions: readonly PartitionPosition[],
    outputs: readonly AnyLogRecord[],
  ): Promise<boolean> {
    const { member } = this.options;
    const isCommitted = positions.every(
      ({ topic, partition, offset }) => this.committed.get(keyOf(topic, partition)) === offset,
    );
    if (outputs.length === 0 && isCommitted) return true;
    const metadata = this.transactionsOf().id;
    const done =
      outputs.length === 0
        ? await member.commit(positions, this.options.isStateful ? metadata : '')
        : await this.transactionsOf().commit(
            {
              records: await this.options.targetsOf(outputs),
              positions,
              metadata,
              group: member.identity,
            },
            this.options.retry,
          );
    if (done) this.remember(positions);
    else this.isVoid = true;
    return done;
  }

  async close(): Promise<void> {
    await this.options.member.leave();
    await this.options.onClose();
  }

  /** Undefined where the group moved on meanwhile. */
  private async assignOnce(): Promise<AssignmentChange | undefined> {
    const { member } = this.options;
    const before = new Set(this.partitions);
    const mustReadAnew = this.isVoid;
    if (member.needsJoin) {
      const { partitions, members } = await member.join();
      this.partitions = partitions;
      this.members = members;
    }
    const committed = await this.stablePositions(
      this.partitions.filter((number) => mustReadAnew || !before.has(number)),
    );
    const isKept = (number: number): boolean =>
      before.has(number) && !mustReadAnew && this.isUntouched(number, committed);
    const added = this.partitions.filter((number) => !isKept(number));
    const revoked = [...before].filter(
      (number) => !this.partitions.includes(number) || !isKept(number),
    );
    const starts = await this.startsOf(committed);
    this.committed.clear();
    this.remember(starts);
    this.isVoid = false;
    const own = starts.filter(({ partition }) => added.includes(partition));
    if (this.options.isStateful && own.length > 0) {
      const isClaimed = await member.commit(own, this.transactionsOf().id);
      if (!isClaimed) {
        // Nothing was handed over yet: all of it is new again the next time.
        this.isVoid = true;
        this.partitions = [...before];
        return undefined;
      }
    }
    return { revoked, added, starts };
  }

  /** Ends the transactions of owners that are gone, then waits for those of owners that have just ended theirs. */
  private async stablePositions(taken: readonly number[]): Promise<readonly CommittedPosition[]> {
    const { member, cluster } = this.options;
    const ids = new Set<string>();
    for (const { partition, metadata } of await member.positions(false)) {
      if (taken.includes(partition) && this.isGone(metadata)) ids.add(metadata);
    }
    for (const id of ids) {
      await retry('end the transaction of one that is gone', this.options.retry, () =>
        fenceTransactionalId(cluster, id, this.options.retry),
      );
    }
    return member.positions(true);
  }

  private isGone(transactionalId: string): boolean {
    if (transactionalId === '') return false;
    return !this.members.some((name) => transactionalId.endsWith(name));
  }

  /** Nobody has committed since we did: what we keep of the partition goes on. */
  private isUntouched(number: number, committed: readonly CommittedPosition[]): boolean {
    return committed.every(({ topic, partition, offset }) => {
      const ours = this.committed.get(keyOf(topic, partition));
      return partition !== number || offset === undefined || offset === ours;
    });
  }

  private async startsOf(committed: readonly CommittedPosition[]): Promise<PartitionPosition[]> {
    const { cluster } = this.options;
    const unknown = committed.filter(({ offset }) => offset === undefined);
    const first =
      unknown.length === 0 ? [] : await offsetsAt(cluster, unknown, 'start', this.options.retry);
    const known = committed.flatMap(({ topic, partition, offset }) =>
      offset === undefined ? [] : [{ topic, partition, offset }],
    );
    return [...known, ...first];
  }

  private remember(positions: readonly PartitionPosition[]): void {
    for (const { topic, partition, offset } of positions) {
      this.committed.set(keyOf(topic, partition), offset);
    }
  }

  /** One id a member name: the group gives each name once. */
  private transactionsOf(): Transactions {
    const { cluster, member } = this.options;
    const { groupId, memberId } = member.identity;
    const id = `${groupId}-${memberId}`;
    if (this.transactions?.id !== id) this.transactions = new Transactions(cluster, id);
    return this.transactions;
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}:${partition}`;
}
