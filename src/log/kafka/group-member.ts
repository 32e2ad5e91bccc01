// A member of a consumer group (the classic protocol): join, heartbeats, committed positions. Reads no records.
// A rebalance is only noted here: the reader joins again between two polls, when nothing of it is half done.

import {
  heartbeatV4,
  joinGroupV9,
  leaveGroupV5,
  offsetCommitV8,
  offsetFetchV8,
  syncGroupV5,
} from '@platformatic/kafka';
import type { DurationMs } from '../../core/market/time.ts';
import { LogError } from '../log.ts';
import { assign } from './assignor.ts';
import type { Cluster } from './cluster.ts';
import {
  decodeAssignment,
  decodeOwned,
  encodeAssignment,
  encodeSubscription,
  type Membership,
} from './consumer-protocol.ts';
import { faultsOf, isPassing, needsRejoin, reasonOf } from './faults.ts';
import { type RetryOptions, retry } from './retry.ts';
import { type GroupIdentity, offsetsOf, type ReadPosition } from './transaction.ts';

/** A member that is silent for so long is out of the group: others take its partitions over. */
export const SESSION_TIMEOUT_MS: DurationMs = 6_000;
/** How long the others wait for a member to join again: a poll and a commit take far less. */
export const REBALANCE_TIMEOUT_MS: DurationMs = 10_000;
export const HEARTBEAT_MS: DurationMs = 1_000;
/** A broker that does not answer keeps nobody from closing. */
const LEAVE_MS_MAX: DurationMs = 1_000;
/** Ours alone: a foreign reader with this group's name is refused instead of mixing in. */
const PROTOCOL_NAME = 'wickstream-sticky';
const PROTOCOL_TYPE = 'consumer';

export interface CommittedPosition {
  readonly topic: string;
  readonly partition: number;
  /** Undefined: none yet. */
  readonly offset: number | undefined;
  readonly metadata: string;
}

export interface GroupMemberOptions {
  readonly cluster: Cluster;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** As many as the topics have. */
  readonly partitions: number;
  readonly retry: RetryOptions;
}

export class GroupMember {
  /** The group waits for us, or has let us go. */
  needsJoin = true;
  private readonly options: GroupMemberOptions;
  private memberId = '';
  private generationId = -1;
  private owned: readonly number[] = [];
  private heart: AbortController | undefined;

  constructor(options: GroupMemberOptions) {
    this.options = options;
  }

  get identity(): GroupIdentity {
    const { memberId, generationId } = this;
    return { groupId: this.options.groupId, memberId, generationId };
  }

  /** Waits until the group's other members have joined too. @throws LogError, and the signal's reason. */
  async join(): Promise<Membership> {
    this.heart?.abort();
    for (;;) {
      try {
        const membership = await retry('join the group', this.options.retry, () => this.joinOnce());
        this.needsJoin = false;
        this.owned = membership.partitions;
        this.beat();
        return membership;
      } catch (error) {
        if (!this.mayJoinAgain(error)) throw error;
      }
    }
  }

  /** Of the partitions it has. `isStable`: waits for transactions that are still to end. */
  async positions(isStable: boolean): Promise<readonly CommittedPosition[]> {
    const { cluster, groupId, topics } = this.options;
    const { owned } = this;
    return retry('read the group’s positions', this.options.retry, async () => {
      const group = {
        groupId,
        topics: topics.map((name) => ({ name, partitionIndexes: [...owned] })),
      };
      const answer = await cluster.request(
        await cluster.coordinator('group', groupId),
        offsetFetchV8.api,
        [group] as never,
        isStable,
      );
      return answer.groups.flatMap((each) =>
        each.topics.flatMap(({ name, partitions }) =>
          partitions.map((one) => ({
            topic: name,
            partition: one.partitionIndex,
            offset: one.committedOffset < 0n ? undefined : Number(one.committedOffset),
            metadata: one.metadata ?? '',
          })),
        ),
      );
    });
  }

  /** Without outputs. False: the group has moved on. @throws LogError, and the signal's reason. */
  async commit(positions: readonly ReadPosition[], metadata: string): Promise<boolean> {
    const { cluster, groupId } = this.options;
    const { memberId, generationId } = this;
    try {
      await retry('commit', this.options.retry, async () => {
        await cluster.request(
          await cluster.coordinator('group', groupId),
          offsetCommitV8.api,
          ...([groupId, generationId, memberId, null] as const),
          offsetsOf(positions, metadata) as never,
        );
      });
      return true;
    } catch (error) {
      if (!needsRejoin(error)) throw error;
      this.lost(error);
      return false;
    }
  }

  /** Its partitions go to others at once. Never throws. */
  async leave(): Promise<void> {
    this.heart?.abort();
    const { memberId } = this;
    if (memberId === '') return;
    const { cluster, groupId } = this.options;
    const { clock } = this.options.retry;
    const leaving = async (): Promise<void> => {
      const node = await cluster.coordinator('group', groupId);
      await cluster.request(node, leaveGroupV5.api, groupId, [{ memberId, reason: 'closed' }]);
    };
    try {
      await Promise.race([leaving(), clock.sleep(LEAVE_MS_MAX)]);
    } catch (error) {
      // Then the group notices by itself, after SESSION_TIMEOUT_MS.
      this.options.retry.outage.logger.debug(
        `Left the group ${groupId} without its answer: ${reasonOf(error)}`,
      );
    }
  }

  private async joinOnce(): Promise<Membership> {
    const { cluster, groupId, topics } = this.options;
    const node = await cluster.coordinator('group', groupId);
    const joined = await cluster.request(
      node,
      joinGroupV9.api,
      ...([groupId, SESSION_TIMEOUT_MS, REBALANCE_TIMEOUT_MS, this.memberId, null] as const),
      PROTOCOL_TYPE,
      [
        {
          name: PROTOCOL_NAME,
          version: 0,
          metadata: encodeSubscription({ topics, owned: this.owned }),
        },
      ],
      '',
    );
    this.memberId = joined.memberId;
    this.generationId = joined.generationId;
    const isLeader = joined.leader === joined.memberId;
    const assignments = isLeader ? this.assignments(joined.members) : [];
    const synced = await cluster.request(
      node,
      syncGroupV5.api,
      ...([groupId, joined.generationId, joined.memberId, null] as const),
      PROTOCOL_TYPE,
      PROTOCOL_NAME,
      assignments,
    );
    return decodeAssignment(synced.assignment);
  }

  private assignments(
    members: readonly { readonly memberId: string; readonly metadata?: Buffer | null }[],
  ): { memberId: string; assignment: Buffer }[] {
    const names = members.map(({ memberId }) => memberId);
    const claims = members.map(({ memberId, metadata }) => ({
      memberId,
      owned: decodeOwned(metadata),
    }));
    const { topics, partitions } = this.options;
    const shares = assign(claims, partitions);
    return names.map((memberId) => ({
      memberId,
      assignment: encodeAssignment(
        { partitions: shares.get(memberId) ?? [], members: names },
        topics,
      ),
    }));
  }

  private mayJoinAgain(error: unknown): boolean {
    const faults = faultsOf(error);
    if (faults.has('MEMBER_ID_REQUIRED')) {
      this.memberId = memberIdIn(error) ?? '';
      return true;
    }
    if (faults.has('INCONSISTENT_GROUP_PROTOCOL')) {
      throw new LogError(
        'refused',
        `The consumer group "${this.options.groupId}" is used by another program: choose another with --consumer-group`,
        { cause: error },
      );
    }
    if (!needsRejoin(error)) return false;
    this.lost(error);
    return true;
  }

  /** What the group no longer knows of us must not be claimed again: others may have had it meanwhile. */
  private lost(error: unknown): void {
    this.needsJoin = true;
    const faults = faultsOf(error);
    if (faults.has('REBALANCE_IN_PROGRESS')) return;
    this.owned = [];
    if (faults.has('UNKNOWN_MEMBER_ID')) this.memberId = '';
  }

  /** One beat after the other, until the next join or the leave. */
  private beat(): void {
    const heart = new AbortController();
    this.heart = heart;
    const { clock, signal } = this.options.retry;
    const stopped = AbortSignal.any([heart.signal, signal]);
    const run = async (): Promise<void> => {
      while (!stopped.aborted) {
        await clock.sleep(HEARTBEAT_MS, stopped);
        if (!stopped.aborted) await this.beatOnce(stopped);
      }
    };
    // Never rejects: what a beat's failure means is decided in beatOnce.
    void run();
  }

  private async beatOnce(stopped: AbortSignal): Promise<void> {
    const { cluster, groupId, retry: options } = this.options;
    const { memberId, generationId } = this;
    try {
      const node = await cluster.coordinator('group', groupId);
      await cluster.request(node, heartbeatV4.api, groupId, generationId, memberId, null);
    } catch (error) {
      if (stopped.aborted) return;
      if (needsRejoin(error)) this.lost(error);
      else if (!isPassing(error))
        options.outage.logger.warn(`Heartbeat of ${groupId}: ${reasonOf(error)}`);
    }
  }
}

/** Of a new member the broker asks to come again with the name it gave. */
function memberIdIn(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { response, errors } = error as { response?: { memberId?: string }; errors?: unknown[] };
  if (typeof response?.memberId === 'string') return response.memberId;
  return errors?.map(memberIdIn).find((found) => found !== undefined);
}
