import { fenceActionName, type FenceActionConfig, type FenceOutcome, type FenceRecord } from '../core/fencing';
import type { FenceStore } from '../adapters/ports/lease';
import { eachOf, mapOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';
import type { FenceWork } from './actions';

/** A machine of the old side. */
export interface FenceTarget {
  /** `<endpoint>/<instance id>`. */
  readonly memberId: string;
  readonly endpoint: string;
  readonly instanceId: string;
  readonly roleArn?: string;
}

/** What is not known to hold yet. */
export interface OpenFence {
  readonly target: FenceTarget;
  readonly record: FenceRecord;
}

/** The records of one run's fencing, as they are and as they become. */
export class FenceBook {
  /** Machines on which a call was made since the book was opened. */
  readonly acted = new Set<string>();
  private readonly records: Map<string, FenceRecord>;

  private constructor(
    private readonly work: Pick<FenceWork, 'runId' | 'since' | 'watch'>, stored: readonly FenceRecord[],
    private readonly store: FenceStore, private readonly tools: Tools,
  ) {
    this.records = new Map(stored.map((record) => [key(record), record]));
  }

  static async open(work: Pick<FenceWork, 'runId' | 'since' | 'watch'>, store: FenceStore, tools: Tools): Promise<FenceBook> {
    return new FenceBook(work, await store.fences(work.runId), store, tools);
  }

  /** Begins what has no record, and answers all that is not known to hold. A function that has answered is not asked again. */
  async begin(action: FenceActionConfig, targets: readonly FenceTarget[]): Promise<OpenFence[]> {
    const name = fenceActionName(action);
    const all = await mapOf(targets, async (target) => ({ target, record: this.records.get(key({ memberId: target.memberId, action: name })) ?? await this.save({
      runId: this.work.runId, memberId: target.memberId, action: name, startedAt: this.tools.now(), detail: 'begun',
    }) }));
    return all.filter(({ record }) => record.outcome !== 'fenced' || (action.kind !== 'lambda' && (record.verifiedAt ?? '') < this.work.since));
  }

  async save(record: FenceRecord): Promise<FenceRecord> {
    await this.store.saveFence(record);
    this.records.set(key(record), record);
    return record;
  }

  /** Seen to hold, or given up. An outcome that is stored already is not written again. */
  async settle({ record }: OpenFence, outcome: FenceOutcome, detail: string): Promise<void> {
    const { verifiedAt: _before, ...rest } = record;
    if (this.work.watch === true && record.outcome === outcome && record.detail === detail) return;
    if (outcome === 'fenced') await this.save({ ...rest, outcome, detail, verifiedAt: this.tools.now() });
    else if (record.outcome !== outcome || record.detail !== detail) await this.save({ ...rest, outcome, detail });
  }

  settleAll(open: readonly OpenFence[], outcome: FenceOutcome, detail: string): Promise<void> {
    return eachOf(open, (each) => this.settle(each, outcome, detail));
  }

  /** Not known yet: an outcome of an earlier look does not count any more. */
  async pending({ record }: OpenFence, change: Partial<FenceRecord> & { readonly detail: string }): Promise<void> {
    const { outcome, verifiedAt: _before, ...rest } = record;
    if (outcome !== undefined || change.detail !== record.detail) await this.save({ ...rest, ...change });
  }

  of(actions: readonly FenceActionConfig[], targets: readonly FenceTarget[]): FenceRecord[] {
    return targets.flatMap(({ memberId }) => actions.flatMap((action) => this.records.get(key({ memberId, action: fenceActionName(action) })) ?? []));
  }
}

function key({ memberId, action }: Pick<FenceRecord, 'memberId' | 'action'>): string {
  return `${memberId}|${action}`;
}
