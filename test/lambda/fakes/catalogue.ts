import { ConflictError } from '../../../lambda/adapters/errors';
import type { Catalogue, CycleLock, CycleProgress, HookRecord, MemberProgress } from '../../../lambda/adapters/ports/catalogue';
import type { EndpointMember, RecoveryPoint, RunMember, RunRecord, RunStep } from '../../../lambda/core/model';
import type { FenceStore, LeaseStore } from '../../../lambda/adapters/ports/lease';
import type { FenceRecord } from '../../../lambda/core/fencing';
import { FIRST_LEASE, type Lease } from '../../../lambda/core/lease';
import { needsWork } from '../../../lambda/core/point-state';

const copy = <T>(value: T): T => structuredClone(value);

/** The catalogue in memory, with the conditions that the table's writes have. */
export class FakeCatalogue implements Catalogue, LeaseStore, FenceStore {
  readonly memberRows = new Map<string, EndpointMember>();
  readonly progressRows = new Map<string, MemberProgress>();
  readonly pointRows = new Map<string, RecoveryPoint>();
  lock: (CycleLock & CycleProgress) | undefined;
  wait: { token?: string; eventAt?: string } = {};
  readonly runRows = new Map<string, RunRecord>();
  readonly runMemberRows = new Map<string, RunMember>();
  readonly stepRows = new Map<string, RunStep>();
  readonly hookRows = new Map<string, HookRecord>();
  leaseRow: Lease = FIRST_LEASE;
  readonly fenceRows = new Map<string, FenceRecord>();
  readonly evidenceRows = new Map<string, { endedAt: string; parts: string[] }>();

  members() {
    return Promise.resolve([...this.memberRows.values()].map((member) => copy({
      ...member, newestPointAt: this.progressRows.get(member.memberId)?.newestPointAt,
    })));
  }

  saveMember(member: EndpointMember) {
    const stored = this.memberRows.get(member.memberId);
    if (stored !== undefined && stored.lastSeenAt > member.lastSeenAt) return Promise.reject(new ConflictError(member.memberId));
    this.memberRows.set(member.memberId, copy({ ...member, newestPointAt: undefined }));
    return Promise.resolve();
  }

  removeMember(memberId: string) {
    this.progressRows.delete(memberId);
    if (this.memberRows.get(memberId)?.missingSince !== undefined) this.memberRows.delete(memberId);
    return Promise.resolve();
  }

  progress() {
    return Promise.resolve(new Map(this.progressRows));
  }

  noteNewestPoint(memberId: string, consistentAt: string) {
    const stored = this.progressRows.get(memberId);
    if ((stored?.newestPointAt ?? '') < consistentAt) this.progressRows.set(memberId, { ...stored, newestPointAt: consistentAt });
    return Promise.resolve();
  }

  notePruned(memberId: string, at: string, newestPointAt: string) {
    this.progressRows.set(memberId, { ...this.progressRows.get(memberId), prunedAt: at, prunedNewest: newestPointAt });
    return Promise.resolve();
  }

  createPoint(point: RecoveryPoint) {
    const key = pointKey(point);
    if (this.pointRows.has(key)) return Promise.resolve(false);
    this.pointRows.set(key, copy(point));
    return Promise.resolve(true);
  }

  point(memberId: string, createdAt: string, pointId: string) {
    return Promise.resolve(copy(this.pointRows.get(`${memberId}|${createdAt}|${pointId}`)));
  }

  savePoint(next: RecoveryPoint, readVersion: number) {
    const stored = this.pointRows.get(pointKey(next));
    if (stored?.version !== readVersion) return Promise.reject(new ConflictError(next.pointId));
    if (next.version <= readVersion) return Promise.reject(new Error(`version of ${next.pointId} did not grow`));
    this.pointRows.set(pointKey(next), copy(next));
    return Promise.resolve();
  }

  openPoints() {
    return Promise.resolve(this.matching(needsWork));
  }

  completePoints(memberId: string) {
    return Promise.resolve(this.matching((point) => point.memberId === memberId && point.state === 'COMPLETE'));
  }

  allPoints(memberId: string) {
    return Promise.resolve(this.matching((point) => point.memberId === memberId));
  }

  points(): RecoveryPoint[] {
    return this.matching(() => true);
  }

  private matching(wanted: (point: RecoveryPoint) => boolean): RecoveryPoint[] {
    return [...this.pointRows.values()].filter(wanted).map(copy);
  }

  pin(point: RecoveryPoint, runId: string) {
    const stored = this.pointRows.get(pointKey(point));
    if (stored?.state !== 'COMPLETE') return Promise.resolve(false);
    const pinnedBy = [...new Set([...(stored.pinnedBy ?? []), runId])];
    this.pointRows.set(pointKey(point), { ...stored, pinnedBy, version: stored.version + 1 });
    return Promise.resolve(true);
  }

  unpin(point: RecoveryPoint, runId: string) {
    const stored = this.pointRows.get(pointKey(point));
    if (stored?.pinnedBy?.includes(runId) === true) {
      this.pointRows.set(pointKey(point), { ...stored, pinnedBy: stored.pinnedBy.filter((id) => id !== runId), version: stored.version + 1 });
    }
    return Promise.resolve();
  }

  takeLock(lock: CycleLock) {
    this.lock ??= { ...lock, committed: 0, failed: 0, problems: [], absent: [], departed: [], moreProblems: 0 };
    return Promise.resolve(this.lock.executionArn === lock.executionArn ? undefined : copy<CycleLock>(this.lock));
  }

  replaceLock(lock: CycleLock, holder: CycleLock) {
    if (this.lock?.executionArn !== holder.executionArn) return Promise.resolve(false);
    this.lock = { ...lock, committed: 0, failed: 0, problems: [], absent: [], departed: [], moreProblems: 0 };
    return Promise.resolve(true);
  }

  noteProgress(cycleId: string, { committed = 0, failed = 0, moreProblems = 0, problems = [], absent, departed }: Partial<CycleProgress>) {
    if (this.lock?.cycleId === cycleId) {
      this.lock = {
        ...this.lock,
        committed: this.lock.committed + committed,
        failed: this.lock.failed + failed,
        problems: [...this.lock.problems, ...problems],
        absent: absent ?? this.lock.absent,
        departed: departed ?? this.lock.departed,
        moreProblems: this.lock.moreProblems + moreProblems,
      };
    }
    return Promise.resolve();
  }

  cycleProgress(cycleId: string) {
    return Promise.resolve(this.lock?.cycleId === cycleId ? copy<CycleProgress>(this.lock) : undefined);
  }

  releaseLock(cycleId: string) {
    if (this.lock?.cycleId === cycleId) this.lock = undefined;
    return Promise.resolve();
  }

  storeToken(token: string) {
    const missed = this.wait.eventAt !== undefined;
    this.wait = { ...this.wait, token };
    return Promise.resolve(missed);
  }

  forgetEvents() {
    this.wait = {};
    return Promise.resolve();
  }

  takeToken(at: string) {
    const { token } = this.wait;
    this.wait = { eventAt: at };
    return Promise.resolve(token);
  }

  createRun(run: RunRecord) {
    if (this.runRows.has(run.runId)) return Promise.resolve(false);
    this.runRows.set(run.runId, copy(run));
    return Promise.resolve(true);
  }

  run(runId: string) {
    return Promise.resolve(copy(this.runRows.get(runId)));
  }

  saveRun(next: RunRecord, read: RunRecord) {
    if (this.runRows.get(next.runId)?.executionArn !== read.executionArn) return Promise.reject(new ConflictError(next.runId));
    this.runRows.set(next.runId, copy(next));
    return Promise.resolve();
  }

  runMembers(runId: string) {
    return Promise.resolve([...this.runMemberRows.values()].filter((member) => member.runId === runId).map(copy));
  }

  createRunMember(member: RunMember) {
    const key = `${member.runId}|${member.memberId}`;
    if (this.runMemberRows.has(key)) return Promise.resolve(false);
    this.runMemberRows.set(key, copy(member));
    return Promise.resolve(true);
  }

  saveRunMember(next: RunMember, read: RunMember) {
    const key = `${next.runId}|${next.memberId}`;
    const stored = this.runMemberRows.get(key);
    if (stored?.status !== read.status || stored.attempt !== read.attempt) return Promise.reject(new ConflictError(next.memberId));
    this.runMemberRows.set(key, copy(next));
    return Promise.resolve();
  }

  steps(runId: string) {
    return Promise.resolve([...this.stepRows.values()].filter((step) => step.runId === runId).map(copy));
  }

  beginStep(step: RunStep) {
    const key = `${step.runId}|${step.name}`;
    const stored = this.stepRows.get(key) ?? copy(step);
    this.stepRows.set(key, stored);
    return Promise.resolve(copy(stored));
  }

  endStep(step: RunStep) {
    if (this.stepRows.has(`${step.runId}|${step.name}`)) this.stepRows.set(`${step.runId}|${step.name}`, copy(step));
    return Promise.resolve();
  }

  hooks(runId: string) {
    return Promise.resolve([...this.hookRows.values()].filter((hook) => hook.runId === runId).map(copy));
  }

  saveHook(hook: HookRecord) {
    const key = `${hook.runId}|${hook.wave}|${hook.phase}|${hook.name}`;
    if (this.hookRows.get(key)?.status !== 'SUCCEEDED') this.hookRows.set(key, copy(hook));
    return Promise.resolve();
  }

  lease() {
    return Promise.resolve(copy(this.leaseRow));
  }

  saveLease(next: Lease, read: Lease) {
    if (this.leaseRow.version !== read.version) return Promise.resolve(false);
    if (next.version !== read.version + 1 || next.epoch < read.epoch) return Promise.reject(new Error('a lease went back'));
    this.leaseRow = copy(next);
    return Promise.resolve(true);
  }

  fences(runId: string) {
    return Promise.resolve([...this.fenceRows.values()].filter((fence) => fence.runId === runId).map(copy));
  }

  saveFence(fence: FenceRecord) {
    this.fenceRows.set(`${fence.runId}|${fence.memberId}|${fence.action}`, copy(fence));
    return Promise.resolve();
  }

  saveEvidence(runId: string, endedAt: string, parts: readonly string[]) {
    if ((this.evidenceRows.get(runId)?.endedAt ?? '') <= endedAt) this.evidenceRows.set(runId, { endedAt, parts: [...parts] });
    return Promise.resolve();
  }

  runs() {
    return Promise.resolve([...this.runRows.values()].map(copy));
  }
}

function pointKey({ memberId, createdAt, pointId }: RecoveryPoint): string {
  return `${memberId}|${createdAt}|${pointId}`;
}
