import type { EndpointMember, RecoveryPoint, RunMember, RunRecord, RunStep } from '../../core/model';

/** Members, as discovery found them, with what replication has achieved for each. */
export interface MemberStore {
  /** `newestPointAt` is merged in from where the cycle keeps it. */
  members(): Promise<EndpointMember[]>;
  saveMember(member: EndpointMember): Promise<void>;
  /** Forgets a member that is missing, with what replication has achieved for it; its points are records of their own. */
  removeMember(memberId: string): Promise<void>;
  progress(): Promise<ReadonlyMap<string, MemberProgress>>;
  /** Keeps the newer of what is there and `consistentAt`. */
  noteNewestPoint(memberId: string, consistentAt: string): Promise<void>;
  /** Remembers up to which newest point the member was pruned. */
  notePruned(memberId: string, at: string, newestPointAt: string): Promise<void>;
}

export interface MemberProgress {
  readonly newestPointAt?: string;
  readonly prunedAt?: string;
  /** `newestPointAt` at that time. */
  readonly prunedNewest?: string;
}

/** Recovery points. Whoever writes gives the version that it read; `ConflictError` when that is no longer the stored one. */
export interface PointStore {
  /** False when the point is there already. */
  createPoint(point: RecoveryPoint): Promise<boolean>;
  point(memberId: string, createdAt: string, pointId: string): Promise<RecoveryPoint | undefined>;
  /** Stores `next` if the stored version is `readVersion`. */
  savePoint(next: RecoveryPoint, readVersion: number): Promise<void>;
  /** Those with work left: on their way, or ended and not cleaned. From the index: may lag by moments. */
  openPoints(): Promise<RecoveryPoint[]>;
  /** All of a member's, also those long gone, read consistently: dear, for rare decisions that must not be wrong. */
  allPoints(memberId: string): Promise<RecoveryPoint[]>;
  /** The `COMPLETE` ones of a member. From the index: may lag by moments. */
  completePoints(memberId: string): Promise<RecoveryPoint[]>;
  /** Keeps the point from expiring. False when it is not `COMPLETE` any more. */
  pin(point: RecoveryPoint, runId: string): Promise<boolean>;
  unpin(point: RecoveryPoint, runId: string): Promise<void>;
}

export interface CycleLock {
  readonly executionArn: string;
  readonly cycleId: string;
  readonly startedAt: string;
}

/** What the steps of a cycle report for its summary. Counts can be short after a step was killed; no decision rests on them. */
export interface CycleProgress {
  readonly committed: number;
  readonly failed: number;
  readonly problems: readonly string[];
  /** Endpoints of which this cycle's discovery found no machine. */
  readonly absent: readonly string[];
  /** Members that discovery saw missing for longer than they are kept. */
  readonly departed: readonly string[];
  /** Problems that were noted after the list was full. */
  readonly moreProblems: number;
}

/** The cycle's lock and the task token that it waits on. */
export interface CycleStore {
  /** Undefined when taken (or held by this execution already), else who holds it. */
  takeLock(lock: CycleLock): Promise<CycleLock | undefined>;
  /** False when the holder is no longer `holder`. */
  replaceLock(lock: CycleLock, holder: CycleLock): Promise<boolean>;
  /** Adds counts and problems to those noted; `absent` and `departed` replace. */
  noteProgress(cycleId: string, progress: Partial<CycleProgress>): Promise<void>;
  cycleProgress(cycleId: string): Promise<CycleProgress | undefined>;
  releaseLock(cycleId: string): Promise<void>;
  /** Stores the token. True when an event came since `forgetEvents`: nobody should wait then. */
  storeToken(token: string, cycleId: string, at: string): Promise<boolean>;
  /** Forgets the events so far: what they tell is about to be looked at. */
  forgetEvents(): Promise<void>;
  /** Notes an event and takes the token that waits, if any, away from everybody else. */
  takeToken(at: string): Promise<string | undefined>;
}

export interface HookRecord {
  readonly runId: string;
  readonly wave: number;
  /** `check` for a check that keeps state between polls. */
  readonly phase: 'before' | 'after' | 'check' | 'drain' | 'redeploy';
  readonly name: string;
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED';
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly commandIds?: readonly string[];
  readonly detail?: string;
}

export interface RunStore {
  /** False when the run is there already. */
  createRun(run: RunRecord): Promise<boolean>;
  run(runId: string): Promise<RunRecord | undefined>;
  /** Stores `next` if the run still belongs to the execution that `read` names. */
  saveRun(next: RunRecord, read: RunRecord): Promise<void>;
  runMembers(runId: string): Promise<RunMember[]>;
  /** False when the run has this member already. */
  createRunMember(member: RunMember): Promise<boolean>;
  /** Stores `next` if status and attempt are still those of `read`. */
  saveRunMember(next: RunMember, read: RunMember): Promise<void>;
  steps(runId: string): Promise<RunStep[]>;
  /** Begins the step, or answers it as it was begun before. */
  beginStep(step: RunStep): Promise<RunStep>;
  endStep(step: RunStep): Promise<void>;
  hooks(runId: string): Promise<HookRecord[]>;
  saveHook(hook: HookRecord): Promise<void>;
  runs(): Promise<RunRecord[]>;
  /** Stores the evidence's text in rows, in place of an earlier one of this run. */
  saveEvidence(runId: string, endedAt: string, parts: readonly string[]): Promise<void>;
}

/** The table in the recovery Region of all that the project knows. */
export type Catalogue = MemberStore & PointStore & CycleStore & RunStore;
