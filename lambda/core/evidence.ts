import type { FenceRecord } from './fencing';
import type { OldSide } from './lease';
import { groupBy } from './group';
import type { PointSelection, RunMember, RunMode, RunRecord, RunStatus, RunStep } from './model';
import { shortened } from './text';
import { secondsBetween } from './time';

export interface EvidenceMember {
  readonly memberId: string;
  readonly endpoint: string;
  readonly wave: number;
  readonly status: RunMember['status'];
  readonly pointId: string;
  /** The instant that the recovered machine shows. */
  readonly consistentAt: string;
  /** From `consistentAt` to the run's start: what this member lost. A failback loses nothing that was written before its drain. */
  readonly rpoSeconds: number;
  /** From the run's start (of a failback: its drain) until its checks passed; absent if they did not. */
  readonly rtoSeconds?: number;
  readonly launchMethod: RunMember['launchMethod'];
  readonly attempt: number;
  readonly instanceId?: string;
  readonly instanceType: string;
  readonly subnetId: string;
  readonly privateIp?: string;
  /** Of failback and repair: the machine that this one takes the place of. */
  readonly replaces?: string;
  /** The disks that were in the machine before. */
  readonly keptVolumes?: RunMember['keptVolumes'];
  /** Blocks found equal in both Regions. */
  readonly verified?: RunMember['verified'];
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

/** What a failback ended, and what it cost. */
export interface EvidenceFailback {
  /** Since when the recovery side had been the active one. */
  readonly recoverySince?: string;
  /** From the drain until the source side was the active one; of a run that failed, until the recovered machines worked again. */
  readonly withoutServiceSeconds?: number;
  /** Who accepted that what the source side had written since the failover is not carried on. */
  readonly discardSource?: string;
}

export interface EvidenceCounts {
  readonly endpoint: string;
  readonly members: number;
  readonly passed: number;
  readonly failed: number;
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
  /** Each endpoint's machines, in the order of their names. */
  readonly endpoints: readonly EvidenceCounts[];
  /**
   * Set where the whole does not fit into the output of an execution, some hundred machines: `members` and `dataLossWindows`
   * are empty then and long texts are cut. The catalogue has the whole.
   */
  readonly truncated?: true;
  /**
   * So many rows of the catalogue hold the whole evidence: `pk` is `RUN#<run id>`, `sk` is `EVIDENCE#0000` and on; their
   * `text`, joined in this order, is its JSON.
   */
  readonly evidenceRows?: number;
  /** What was written in these times is lost. */
  readonly dataLossWindows: readonly { readonly memberId: string; readonly from: string; readonly to: string; readonly seconds: number }[];
  /** Absent for a drill, and for a run that ended before it fenced. */
  readonly fencing?: EvidenceFencing;
  readonly failback?: EvidenceFailback;
  readonly steps: readonly EvidenceStep[];
  readonly members: readonly EvidenceMember[];
}

/**
 * The record of a run from what its steps wrote. Loss is reckoned at the run's start, the nearest measured instant to the
 * source's end; that of a failback at the instant at which nothing wrote any more.
 */
export function buildEvidence(
  run: RunRecord,
  members: readonly RunMember[],
  steps: readonly RunStep[],
  now: string,
  objectives?: { readonly rpoSeconds: number; readonly rtoSeconds: number },
  fences: readonly FenceRecord[] = [],
): Evidence {
  const instants = instantsOf(run, steps);
  const recovered = [...members].sort((a, b) => a.wave - b.wave || (a.memberId < b.memberId ? -1 : 1)).map((member) => evidenceOf(instants, member));
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
    endpoints: countsOf(recovered),
    dataLossWindows: recovered.filter(({ rpoSeconds: seconds }) => run.mode !== 'failback' || seconds > 0).map((member) => ({
      memberId: member.memberId,
      from: member.consistentAt,
      to: instants.lossUntil,
      seconds: member.rpoSeconds,
    })),
    fencing: fencingOf(run, fences),
    failback: failbackOf(run, steps),
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

/** Until when what is missing counts as lost, and since when a machine is waited for. */
interface Instants {
  readonly lossUntil: string;
  readonly waitedSince: string;
}

function instantsOf({ mode, startedAt }: RunRecord, steps: readonly RunStep[]): Instants {
  const drain = mode === 'failback' ? steps.find(({ name }) => name === 'drain') : undefined;
  return { lossUntil: drain?.endedAt ?? startedAt, waitedSince: drain?.startedAt ?? startedAt };
}

function failbackOf({ mode, ends, discardSource }: RunRecord, steps: readonly RunStep[]): EvidenceFailback | undefined {
  if (mode !== 'failback') return undefined;
  const from = steps.find(({ name }) => name === 'drain')?.startedAt;
  const to = steps.find(({ name, outcome }) => (name === 'switch' || name === 'reopen') && outcome === 'SUCCEEDED')?.endedAt;
  return { recoverySince: ends?.since, withoutServiceSeconds: from === undefined || to === undefined ? undefined : secondsBetween(from, to), discardSource };
}

function evidenceOf({ lossUntil, waitedSince }: Instants, member: RunMember): EvidenceMember {
  const passed = member.status === 'PASSED' && member.passedAt !== undefined;
  return {
    memberId: member.memberId,
    endpoint: member.endpoint,
    wave: member.wave,
    status: member.status,
    pointId: member.pointId,
    consistentAt: member.consistentAt,
    rpoSeconds: Math.max(0, secondsBetween(member.consistentAt, lossUntil)),
    rtoSeconds: passed ? secondsBetween(waitedSince, member.passedAt ?? waitedSince) : undefined,
    launchMethod: member.launchMethod,
    attempt: member.attempt,
    instanceId: member.instanceId,
    instanceType: member.instanceType,
    subnetId: member.subnetId,
    privateIp: member.actualPrivateIp ?? member.privateIp,
    replaces: member.replaces,
    keptVolumes: member.keptVolumes,
    verified: member.verified,
    notes: member.notes,
    error: member.error,
  };
}

function countsOf(members: readonly EvidenceMember[]): EvidenceCounts[] {
  return [...groupBy(members, ({ endpoint }) => endpoint)]
    .map(([endpoint, of]) => ({
      endpoint,
      members: of.length,
      passed: of.filter(({ status }) => status === 'PASSED').length,
      failed: of.filter(({ status }) => status === 'FAILED').length,
    }))
    .sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1));
}

/** Step Functions passes on 256 KiB between states, with some of its own around an answer. */
const ANSWER_MAX = 200_000;
/** DynamoDB takes rows of 400 KB. */
const ROW_MAX = 300_000;

/** The evidence's JSON in parts that fit into rows. In ASCII: a character is a byte, and none is torn at the seams. */
export function evidenceParts(evidence: Evidence): string[] {
  const text = asciiJson(evidence);
  return Array.from({ length: Math.ceil(text.length / ROW_MAX) }, (_, part) => text.slice(part * ROW_MAX, (part + 1) * ROW_MAX));
}

/** The evidence as an execution can answer it. */
export function answerOf(evidence: Evidence, evidenceRows: number): Evidence {
  const whole: Evidence = { ...evidence, evidenceRows };
  if (asciiJson(whole).length <= ANSWER_MAX) return whole;
  return {
    ...whole,
    error: whole.error === undefined ? undefined : shortened(whole.error, 2000),
    steps: whole.steps.map((step) => (step.detail === undefined ? step : { ...step, detail: shortened(step.detail, 300) })),
    truncated: true,
    members: [],
    dataLossWindows: [],
  };
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u0080-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function maximum(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.max(...values);
}
