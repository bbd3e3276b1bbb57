import type { FenceRecord } from './fencing';
import type { OldSide } from './lease';
import type { PointSelection, RunMember, RunMode, RunRecord, RunStatus, RunStep } from './model';
import { secondsBetween } from './time';

export interface EvidenceMember {
  readonly memberId: string;
  readonly endpoint: string;
  readonly wave: number;
  readonly status: RunMember['status'];
  readonly pointId: string;
  /** The instant that the recovered machine shows. */
  readonly consistentAt: string;
  /** From `consistentAt` to the run's start: what this member lost. */
  readonly rpoSeconds: number;
  /** From the run's start until its checks passed; absent if they did not. */
  readonly rtoSeconds?: number;
  readonly launchMethod: RunMember['launchMethod'];
  readonly attempt: number;
  readonly instanceId?: string;
  readonly instanceType: string;
  readonly subnetId: string;
  readonly privateIp?: string;
  readonly notes: readonly string[];
  readonly error?: string;
}

export interface EvidenceStep extends Omit<RunStep, 'runId'> {
  /** Absent for a step that did not end. */
  readonly seconds?: number;
}

/** What became of the old side. */
export interface EvidenceFencing {
  /** Absent when the run ended before it was known. */
  readonly oldSide?: OldSide;
  /** Who, or which policy, accepted that the old side is not known to be fenced. */
  readonly acceptedBy?: string;
  readonly results: readonly Omit<FenceRecord, 'runId'>[];
}

/** The record of a recovery run. Every figure is measured; what was not reached has none. */
export interface Evidence {
  readonly project: string;
  readonly runId: string;
  readonly executionArn: string;
  readonly mode: RunMode;
  readonly status: RunStatus;
  readonly selection: PointSelection;
  readonly requestedBy?: string;
  /** The number by which this run was the newest; none for a drill. */
  readonly epoch?: number;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly expiresAt?: string;
  readonly error?: string;
  readonly achieved: {
    /** The worst of all members. Absent for a run without members. */
    readonly rpoSeconds?: number;
    /** Until the last member's checks passed. Absent unless every member passed. */
    readonly rtoSeconds?: number;
  };
  readonly objectives?: { readonly rpoSeconds: number; readonly rtoSeconds: number; readonly rpoMet: boolean; readonly rtoMet: boolean };
  /** What was written in these times is lost. */
  readonly dataLossWindows: readonly { readonly memberId: string; readonly from: string; readonly to: string; readonly seconds: number }[];
  /** Absent for a drill, and for a run that ended before it fenced. */
  readonly fencing?: EvidenceFencing;
  readonly steps: readonly EvidenceStep[];
  readonly members: readonly EvidenceMember[];
}

/** The record of a run from what its steps wrote. Loss is reckoned at the run's start, the nearest measured instant to the source's end. */
export function buildEvidence(
  run: RunRecord,
  members: readonly RunMember[],
  steps: readonly RunStep[],
  now: string,
  objectives?: { readonly rpoSeconds: number; readonly rtoSeconds: number },
  fences: readonly FenceRecord[] = [],
): Evidence {
  const recovered = [...members].sort((a, b) => a.wave - b.wave || (a.memberId < b.memberId ? -1 : 1)).map((member) => evidenceOf(run, member));
  const rpoSeconds = maximum(recovered.map((member) => member.rpoSeconds));
  const recoveryTimes = recovered.flatMap((member) => member.rtoSeconds ?? []);
  const rtoSeconds = recoveryTimes.length === recovered.length ? maximum(recoveryTimes) : undefined;
  return {
    project: run.project,
    runId: run.runId,
    executionArn: run.executionArn,
    mode: run.mode,
    status: run.status,
    selection: run.selection,
    requestedBy: run.requestedBy,
    epoch: run.epoch,
    startedAt: run.startedAt,
    endedAt: run.endedAt ?? now,
    expiresAt: run.expiresAt,
    error: run.error,
    achieved: { rpoSeconds, rtoSeconds },
    objectives: objectives && {
      rpoSeconds: objectives.rpoSeconds,
      rtoSeconds: objectives.rtoSeconds,
      rpoMet: rpoSeconds !== undefined && rpoSeconds <= objectives.rpoSeconds,
      rtoMet: rtoSeconds !== undefined && rtoSeconds <= objectives.rtoSeconds,
    },
    dataLossWindows: recovered.map((member) => ({
      memberId: member.memberId,
      from: member.consistentAt,
      to: run.startedAt,
      seconds: member.rpoSeconds,
    })),
    fencing: fencingOf(run, fences),
    steps: [...steps]
      .sort((a, b) => secondsBetween(b.startedAt, a.startedAt) || (a.name < b.name ? -1 : 1))
      .map(({ runId: _same, ...step }) => ({ ...step, seconds: step.endedAt === undefined ? undefined : secondsBetween(step.startedAt, step.endedAt) })),
    members: recovered,
  };
}

function fencingOf(run: RunRecord, fences: readonly FenceRecord[]): EvidenceFencing | undefined {
  const { oldSide, acceptedBy } = run;
  if (oldSide === undefined && fences.length === 0) return undefined;
  const results = fences.map(({ runId: _same, ...result }) => result).sort((a, b) => (`${a.memberId} ${a.action}` < `${b.memberId} ${b.action}` ? -1 : 1));
  return { oldSide, acceptedBy, results };
}

function evidenceOf(run: RunRecord, member: RunMember): EvidenceMember {
  const passed = member.status === 'PASSED' && member.passedAt !== undefined;
  return {
    memberId: member.memberId,
    endpoint: member.endpoint,
    wave: member.wave,
    status: member.status,
    pointId: member.pointId,
    consistentAt: member.consistentAt,
    rpoSeconds: Math.max(0, secondsBetween(member.consistentAt, run.startedAt)),
    rtoSeconds: passed ? secondsBetween(run.startedAt, member.passedAt ?? run.startedAt) : undefined,
    launchMethod: member.launchMethod,
    attempt: member.attempt,
    instanceId: member.instanceId,
    instanceType: member.instanceType,
    subnetId: member.subnetId,
    privateIp: member.actualPrivateIp ?? member.privateIp,
    notes: member.notes,
    error: member.error,
  };
}

function maximum(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.max(...values);
}
