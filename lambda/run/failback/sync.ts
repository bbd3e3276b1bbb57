import type { FailbackConfig, RunConfig } from '../../core/config';
import { clientToken } from '../../core/ids';
import type { EndpointMember, RecoveryPoint, RunRecord, RunStep } from '../../core/model';
import type { MemberStore, PointStore, RunStore } from '../../adapters/ports/catalogue';
import type { Starter } from '../../adapters/ports/detection';
import type { LeaseStore } from '../../adapters/ports/lease';
import type { Executions } from '../../adapters/ports/services';
import type { SourceFence } from '../../adapters/ports/source-fence';
import { mapOf } from '../../runtime/pool';
import type { Tools } from '../../runtime/tools';
import { confirmEpoch } from '../lease';
import { DONE, listed, RunFailed, runRecord, timed, type RunRef, type StepResult } from '../run';
import { planReturn } from './plan';
import { failbackOf, hasSwitched, secondsInStep } from './sides';

export interface SyncInput {
  readonly config: RunConfig;
  readonly run: RunRef;
  /** `first`: while the recovered machines work. `final`: once they are stopped; plans what comes back. */
  readonly phase: 'first' | 'final';
}

/** What cycles of the way back keep: members are the recovered machines, points their copies in the source Region. */
export interface ReturnCatalogue {
  readonly members: Pick<MemberStore, 'members'>;
  readonly points: PointStore;
}

export interface SyncPorts {
  readonly members: MemberStore;
  readonly runs: RunStore;
  readonly leases: LeaseStore;
  readonly back: ReturnCatalogue;
  readonly source: Pick<SourceFence, 'machines'>;
  readonly executions: Executions;
  readonly starter: Starter;
}

export const DRAIN_STEP = 'drain';
const WAIT_SECONDS = 5;
/** Step Functions allows 80 characters in the name of an execution. */
const NAME_MAX = 80;

/** Brings a point of each recovered machine to the source Region: starts return cycles until every machine has a new one. */
export async function synchronise(input: SyncInput, ports: SyncPorts, tools: Tools): Promise<StepResult> {
  const name = `sync-${input.phase}`;
  return timed(name, input, ports.runs, tools, async () => {
    await confirmEpoch(input.run, ports.leases);
    if (hasSwitched(await ports.leases.lease(), input.run.runId)) return DONE;
    const record = await runRecord(ports.runs, input.run.runId);
    const steps = await ports.runs.steps(record.runId);
    const own = steps.find((step) => step.name === name) ?? { runId: record.runId, name, startedAt: tools.now() };
    return new SyncStep(input, ports, tools, record, own, newerThan(input.phase, record, steps)).run();
  });
}

class SyncStep {
  private readonly failback: FailbackConfig;
  private readonly memberIds: readonly string[];

  constructor(
    private readonly input: SyncInput, private readonly ports: SyncPorts, private readonly tools: Tools,
    private readonly record: RunRecord, private readonly step: RunStep, private readonly after: string,
  ) {
    this.failback = failbackOf(input.config);
    this.memberIds = record.waves.flat();
  }

  async run(): Promise<StepResult & { readonly detail?: string }> {
    const cycle = await this.newestCycle();
    // A cycle that runs still may replace what it has brought by something newer: its end comes first.
    if (!cycle.running) {
      const points = await this.newPoints();
      const missing = this.memberIds.filter((id) => !points.has(id));
      if (missing.length === 0) {
        if (this.input.phase === 'final') await planReturn(this.record, points, this.ports, this.tools, this.after);
        return { ...DONE, detail: `${this.memberIds.length} machines, ${cycle.number === 0 ? 'no cycle needed' : `cycle ${cycle.number}`}` };
      }
      if (!this.isLate()) await this.start(cycle.number + 1);
    }
    if (this.isLate()) throw new RunFailed('SyncFailed', await this.lateness(cycle.number));
    return { done: false, waitSeconds: WAIT_SECONDS };
  }

  /** The last one started. Its number is noted in the step, and there may be one more: a start is noted after it. */
  private async newestCycle(): Promise<{ readonly number: number; readonly running: boolean }> {
    const noted = Number(/\bcycle (\d+)/.exec(this.step.detail ?? '')?.[1] ?? 0);
    for (let number = Math.max(1, noted); ; number += 1) {
      const ending = await this.ports.executions.ending(this.arnOf(number));
      if (ending === undefined) return { number, running: true };
      // Without a time Step Functions does not know it (yet): to start it once more starts nothing twice.
      if (ending.at === undefined) return { number: number - 1, running: false };
    }
  }

  private async start(next: number): Promise<void> {
    await confirmEpoch(this.input.run, this.ports.leases);
    const { runId } = this.record;
    let number = next;
    while (!await this.ports.starter.start(this.failback.cycleMachineArn, this.nameOf(number), { runId, phase: this.input.phase })) number += 1;
    this.tools.log.info('Return cycle started', { run: runId, phase: this.input.phase, number });
    await this.ports.runs.endStep({ runId, name: this.step.name, startedAt: this.step.startedAt, detail: `cycle ${number}` });
  }

  private nameOf(number: number): string {
    const { runId } = this.record;
    const end = `-${this.input.phase}-${number}`;
    if (runId.length + end.length <= NAME_MAX) return `${runId}${end}`;
    const digest = clientToken(runId).slice(0, 8);
    return `${runId.slice(0, NAME_MAX - end.length - digest.length - 1)}-${digest}${end}`;
  }

  private arnOf(number: number): string {
    return `${this.failback.cycleMachineArn.replace(':stateMachine:', ':execution:')}:${this.nameOf(number)}`;
  }

  /** The newest point of each member that shows it as it was then or later. */
  private async newPoints(): Promise<Map<string, RecoveryPoint>> {
    const found = await mapOf(this.memberIds, async (id) => {
      const points = (await this.ports.back.points.completePoints(id)).filter((point) => isNewer(point, this.after));
      return points.sort((a, b) => ((a.consistentAt ?? '') < (b.consistentAt ?? '') ? 1 : -1))[0];
    });
    return new Map(found.flatMap((point) => (point === undefined ? [] : [[point.memberId, point] as const])));
  }

  private isLate(): boolean {
    return secondsInStep(this.step.startedAt, this.record, this.tools) > this.failback.syncTimeoutSeconds;
  }

  private async lateness(cycle: number): Promise<string> {
    const [points, members, open] = await Promise.all([this.newPoints(), this.ports.back.members.members(), this.ports.back.points.openPoints()]);
    const reasons = this.memberIds.filter((id) => !points.has(id)).map((id) => `${id}: ${reasonOf(members.find(({ memberId }) => memberId === id), open.filter(({ memberId }) => memberId === id))}`);
    return `Not every recovered machine has a new copy in ${this.input.config.sourceRegion} after ${this.failback.syncTimeoutSeconds} s (cycle ${cycle}): ${listed(reasons)}. `
      + 'The executions of the return cycle say more; remove the cause, or give the project\'s failback a longer syncTimeout, and begin again.';
  }
}

/** The instant from which points count: for the last copy, when all machines had been seen stopped. */
function newerThan(phase: SyncInput['phase'], record: RunRecord, steps: readonly RunStep[]): string {
  if (phase === 'first') return record.startedAt;
  const drained = steps.find(({ name }) => name === DRAIN_STEP);
  if (drained?.outcome !== 'SUCCEEDED' || drained.endedAt === undefined) throw new RunFailed('SyncFailed', `Run ${record.runId} has not drained the recovery side: its last copy would miss what is still being written.`);
  return drained.endedAt;
}

/** Also begun then: EC2's clock, by which `consistentAt` goes, is another one than ours. */
export function isNewer({ createdAt, consistentAt }: RecoveryPoint, after: string): boolean {
  return consistentAt !== undefined && consistentAt >= after && createdAt >= after;
}

function reasonOf(member: EndpointMember | undefined, open: readonly RecoveryPoint[]): string {
  if (member === undefined) return 'no return cycle has found its recovered machine';
  if (member.missingSince !== undefined) return `its recovered machine is missing since ${member.missingSince}`;
  const newest = [...open].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))[0];
  if (newest === undefined) return 'no return cycle has made a recovery point of it';
  return `recovery point ${newest.pointId} is ${newest.state}${newest.reason === undefined ? '' : ` (${newest.reason})`}`;
}
