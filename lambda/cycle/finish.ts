import { isOpen } from '../core/point-state';
import { worstRpo } from '../core/rpo';
import { legible, LISTED_PROBLEMS, secondsSince, type CycleInput, type CyclePorts } from './cycle';
import type { Tools } from '../runtime/tools';

/** What a state machine's Catch passes on. */
export interface CaughtError {
  readonly Error?: string;
  readonly Cause?: string;
}

export interface FinishCycleInput extends CycleInput {
  readonly error?: CaughtError;
}

export interface CycleSummary {
  readonly cycleId: string;
  /** `DEGRADED`: the cycle ended, and `problems` says what it could not do. */
  readonly status: 'SUCCEEDED' | 'DEGRADED' | 'FAILED';
  readonly members: number;
  readonly membersWithoutPoint: number;
  /** Recovery points committed by this cycle. */
  readonly committed: number;
  readonly failed: number;
  /** Recovery points still on their way. */
  readonly open: number;
  readonly findings: number;
  readonly worstRpoSeconds?: number;
  readonly worstRpoMember?: string;
  readonly seconds: number;
  readonly problems: readonly string[];
}

/** Sums up the cycle, reports the metrics and releases the lock, whatever happened before. */
export async function finishCycle(
  input: FinishCycleInput, ports: Pick<CyclePorts, 'members' | 'points' | 'cycles'>, tools: Tools,
): Promise<CycleSummary> {
  const { cycle, error } = input;
  const [members, points, progress] = await Promise.all([
    ports.members.members(), ports.points.openPoints(), ports.cycles.cycleProgress(cycle.cycleId),
  ]);
  const present = members.filter(({ missingSince }) => missingSince === undefined);
  const rpo = worstRpo(members, tools.now());
  const failed = progress?.failed ?? 0;
  const noted = [...new Set(progress?.problems ?? [])];
  const more = (progress?.moreProblems ?? 0) + Math.max(0, noted.length - LISTED_PROBLEMS);
  const problems = [
    ...noted.slice(0, LISTED_PROBLEMS),
    ...(more === 0 ? [] : [`and ${more} more; the logs of this cycle have them all`]),
    ...(failed === 0 ? [] : [`${failed} recovery ${failed === 1 ? 'point' : 'points'} failed; the logs of this cycle say which and why`]),
    ...(error === undefined ? [] : [describeCaught(error)]),
  ];
  const summary: CycleSummary = {
    cycleId: cycle.cycleId,
    status: error !== undefined ? 'FAILED' : problems.length > 0 ? 'DEGRADED' : 'SUCCEEDED',
    members: present.length,
    membersWithoutPoint: rpo.withoutPoint.length,
    committed: progress?.committed ?? 0,
    failed,
    open: points.filter(isOpen).length,
    findings: present.reduce((sum, { findings }) => sum + findings.length, 0) + (progress?.absent.length ?? 0),
    ...(rpo.seconds === undefined ? {} : { worstRpoSeconds: rpo.seconds, worstRpoMember: rpo.memberId }),
    seconds: secondsSince(cycle.startedAt, tools),
    problems,
  };
  // The metrics say how well the project is protected: a failback watches its own cycles.
  if (input.config.direction !== 'return') report(summary, tools);
  tellOf(summary, tools);
  await ports.cycles.releaseLock(cycle.cycleId);
  return summary;
}

function report(summary: CycleSummary, tools: Tools): void {
  tools.metrics([
    ...(summary.worstRpoSeconds === undefined ? [] : [{ name: 'WorstRpoSeconds', value: summary.worstRpoSeconds, unit: 'Seconds' as const }]),
    { name: 'OpenPoints', value: summary.open, unit: 'Count' },
    { name: 'CommittedPoints', value: summary.committed, unit: 'Count' },
    { name: 'MembersFound', value: summary.members, unit: 'Count' },
    { name: 'MembersWithoutPoint', value: summary.membersWithoutPoint, unit: 'Count' },
    { name: 'Findings', value: summary.findings, unit: 'Count' },
    { name: 'FailedPoints', value: summary.failed, unit: 'Count' },
    { name: 'Problems', value: summary.problems.length, unit: 'Count' },
    { name: 'CycleSeconds', value: summary.seconds, unit: 'Seconds' },
  ]);
}

function tellOf(summary: CycleSummary, tools: Tools): void {
  const details = { cycle: summary.cycleId, summary };
  if (summary.status === 'SUCCEEDED') tools.log.info('Cycle finished', details);
  else tools.log.error('Cycle finished with problems', details);
}

/** In one line, whatever a failed task left: Lambda's cause is JSON with an `errorMessage`. */
export function describeCaught({ Error: name = 'Error', Cause: cause = '' }: CaughtError): string {
  try {
    const parsed = JSON.parse(cause) as { errorMessage?: unknown };
    if (typeof parsed.errorMessage === 'string') return `${name}: ${legible(parsed.errorMessage)}`;
  } catch {
    // A cause that is no JSON is text already.
  }
  return cause === '' ? name : `${name}: ${legible(cause)}`;
}
