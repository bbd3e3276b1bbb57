import type { RunConfig } from '../core/config';
import { DomainError } from '../core/errors';
import { checkDrillLimit, planLaunch } from '../core/launch-plan';
import { membersAt } from '../core/members';
import type { EndpointMember, RecoveryPoint, RunMember, RunRecord, RunRequest } from '../core/model';
import { isWhole } from '../core/point-state';
import { selectPoints } from '../core/selection';
import { memberWaves } from '../core/waves';
import type { MemberStore, PointStore, RunStore } from '../adapters/ports/catalogue';
import type { LeaseStore } from '../adapters/ports/lease';
import type { Executions } from '../adapters/ports/services';
import type { RecoverySnapshots } from '../adapters/ports/snapshots';
import type { Zones } from '../adapters/ports/repair';
import type { SourceFence } from '../adapters/ports/source-fence';
import { settleCopies } from '../cycle/commit';
import { eachOf, mapOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';
import { beginFailback } from './failback/begin';
import { takeLease } from './lease';
import { checkNotRecovered } from './recovered';
import { beginRepair } from './repair/begin';
import { revive, type RevivePorts } from './revive';
import { validatedRequest } from './request';
import { checkResumable } from './resume';
import { InvalidRequest, listed, RunFailed, type RunRef } from './run';

export interface BeginRunInput {
  readonly config: RunConfig;
  readonly request: RunRequest;
  readonly executionName: string;
  readonly executionArn: string;
}

export interface BeginRunPorts {
  readonly members: MemberStore;
  readonly points: PointStore;
  readonly runs: RunStore;
  readonly recovery: RecoverySnapshots;
  readonly machines: RevivePorts['machines'];
  readonly executions: Executions;
  readonly leases: LeaseStore;
  /** Failback: the machines of the source side. */
  readonly source: Pick<SourceFence, 'machines'>;
  readonly zones: Zones;
  readonly sourceMachines: RevivePorts['machines'];
}

interface Choice {
  readonly member: EndpointMember;
  readonly point: RecoveryPoint;
}

interface Selection {
  readonly choices: ReadonlyMap<string, Choice>;
  /** Members that cannot be recovered, with the reason. */
  readonly leftOut: readonly { readonly memberId: string; readonly endpoint: string; readonly reason: string }[];
}

export const PLAN_STEP = 'plan';

/**
 * Chooses what is recovered, pins it and writes the plan. What cannot be recovered does not hold up the rest: it is left
 * out, and a run that leaves out a whole endpoint ends as failed however well the others did.
 */
export async function beginRun(input: BeginRunInput, ports: BeginRunPorts, tools: Tools): Promise<RunRef> {
  const request = validatedRequest(input.request, input.executionName);
  if (request.mode === 'failback') return beginFailback(input, request, ports, tools);
  if (request.mode === 'repair') return beginRepair(input, request, ports, tools);
  return new BeginStep(input, request, ports, tools).run();
}

class BeginStep {
  constructor(
    private readonly input: BeginRunInput,
    private readonly request: ReturnType<typeof validatedRequest>,
    private readonly ports: BeginRunPorts,
    private readonly tools: Tools,
  ) {}

  async run(): Promise<RunRef> {
    const existing = await this.ports.runs.run(this.request.runId);
    if (existing !== undefined) return this.resume(existing);
    const selection = await this.select();
    const chosen = [...selection.choices.values()].map(({ member }) => member);
    if (chosen.length === 0) {
      throw new RunFailed('NothingToRecover', `No member has a recovery point that can be recovered: ${listed(selection.leftOut.map(({ memberId, reason }) => `${memberId}: ${reason}`)) || 'the project has no members'}`);
    }
    checkDrillLimit(this.request.mode, chosen.length, this.input.config);
    await this.checkNotRecovered(chosen);
    const epoch = await this.takeEpoch();
    // Another run may have ended between the first look and the lease; without that look each refused run would use up an epoch.
    await this.checkNotRecovered(chosen);
    const record = this.newRecord(memberWaves(this.input.config.waves, chosen), epoch);
    if (!await this.ports.runs.createRun(record)) throw new InvalidRequest(`Run ${record.runId} was begun by another execution a moment ago; give this one another name.`);
    return this.plan(record, selection);
  }

  private async resume(existing: RunRecord): Promise<RunRef> {
    const { executionArn } = this.input;
    await checkResumable(existing, this.request, executionArn, this.ports.executions);
    const { endedAt: _ended, error: _error, ...rest } = existing;
    const { acceptUnreachable = existing.acceptUnreachable } = this.request;
    // Who resumes a drill wants to see it: its machines get their whole time.
    const expiresAt = existing.executionArn === executionArn ? {} : this.expiry();
    const record: RunRecord = {
      ...rest, executionArn, status: 'RUNNING', ...expiresAt, ...epochField(await this.takeEpoch(existing.epoch)), ...(acceptUnreachable === undefined ? {} : { acceptUnreachable }),
    };
    if (existing.executionArn !== executionArn) await revive(existing, this.ports, this.tools);
    await this.ports.runs.saveRun(record, existing);
    return this.plan(record, await this.select(new Set(existing.waves.flat())));
  }

  private async checkNotRecovered(chosen: readonly EndpointMember[]): Promise<void> {
    if (this.request.mode !== 'drill') await checkNotRecovered(this.request, chosen.map(({ memberId }) => memberId), this.ports);
  }

  /** Drills change nothing that anything else depends on: any number of them runs beside a failover. */
  private async takeEpoch(epoch?: number): Promise<number | undefined> {
    const { mode, runId } = this.request;
    if (mode === 'drill') return undefined;
    return takeLease({ runId, executionArn: this.input.executionArn, mode, ...epochField(epoch) }, this.ports, this.tools);
  }

  private newRecord(waves: readonly (readonly string[])[], epoch: number | undefined): RunRecord {
    const { mode, runId, selection, requestedBy, acceptUnreachable } = this.request;
    const startedAt = this.tools.now();
    return {
      project: this.input.config.project,
      runId,
      executionArn: this.input.executionArn,
      mode,
      status: 'RUNNING',
      selection,
      ...(requestedBy === undefined ? {} : { requestedBy }),
      ...(acceptUnreachable === undefined ? {} : { acceptUnreachable }),
      ...epochField(epoch),
      startedAt,
      waves,
      ...this.expiry(),
    };
  }

  private expiry(): Pick<RunRecord, 'expiresAt'> {
    if (this.request.mode !== 'drill') return {};
    return { expiresAt: new Date(Date.parse(this.tools.now()) + this.input.config.drillKeepSeconds * 1000).toISOString() };
  }

  /** The choice for each member of the project, or for those given. */
  private async select(only?: ReadonlySet<string>): Promise<Selection> {
    const { selection, endpoints, mode } = this.request;
    await this.commitArrived();
    const all = await this.ports.members.members();
    const known = new Set([...this.input.config.waves.flatMap((wave) => wave.endpoints), ...all.map(({ endpoint }) => endpoint)]);
    const unknown = endpoints?.filter((name) => !known.has(name)) ?? [];
    if (unknown.length > 0) throw new InvalidRequest(`No endpoint is called ${unknown.join(', ')}; the project has ${listed([...known].sort())}.`);
    // A run that is resumed goes on with what it began, whatever has been taken out of the project since.
    const named = endpoints ?? all.filter(({ memberId }) => only?.has(memberId) === true).map(({ endpoint }) => endpoint);
    const wanted = membersAt(all, selection.kind === 'before' ? selection.time : undefined, named)
      .filter((member) => endpoints === undefined || endpoints.includes(member.endpoint));
    const points = new Map(await mapOf(wanted, async ({ memberId }) => [memberId, await this.ports.points.completePoints(memberId)] as const));
    const { chosen, missing } = selectPoints(wanted, points, selection);
    const reasons = new Map(missing.map(({ memberId, reason }) => [memberId, reason]));
    const choices = new Map<string, Choice>();
    for (const member of wanted) {
      const point = chosen.get(member.memberId);
      if (point === undefined || (only !== undefined && !only.has(member.memberId))) continue;
      const problem = planProblem(member, point, this.input.config, mode);
      if (problem === undefined) choices.set(member.memberId, { member, point });
      else reasons.set(member.memberId, problem);
    }
    const leftOut = wanted.flatMap(({ memberId, endpoint }) => {
      const reason = reasons.get(memberId);
      return reason === undefined ? [] : [{ memberId, endpoint, reason }];
    });
    return { choices, leftOut };
  }

  /** Sets that have arrived whole since the last look count: the cycle that would have committed them may be gone with the source. */
  private async commitArrived(): Promise<void> {
    const open = await this.ports.points.openPoints();
    await settleCopies(open.filter((point) => point.state === 'COPYING' && isWhole(point)), this.ports, this.tools);
  }

  private async plan(record: RunRecord, selection: Selection): Promise<RunRef> {
    const { runs } = this.ports;
    const step = await runs.beginStep({ runId: record.runId, name: PLAN_STEP, startedAt: this.tools.now() });
    const planned = new Map((await runs.runMembers(record.runId)).map((member) => [member.memberId, member]));
    const places = record.waves.flatMap((ids, wave) => ids.map((memberId) => ({ memberId, wave })));
    await eachOf(places.map((place, index) => ({ ...place, index })), async ({ memberId, wave, index }) => {
      const choice = selection.choices.get(memberId);
      const before = planned.get(memberId);
      if (before !== undefined && before.status !== 'PLANNED') return this.keepPoint(record, before);
      if (choice === undefined) {
        if (before === undefined) this.tools.log.error('A planned member can no longer be recovered', { member: memberId, run: record.runId });
        return;
      }
      await this.planMember(record, choice, before, wave, index);
    });
    const { detail, endpoints } = describeLeftOut(selection);
    if (step.endedAt === undefined) {
      await runs.endStep({ ...step, endedAt: this.tools.now(), outcome: endpoints.length > 0 ? 'FAILED' : 'SUCCEEDED', detail });
    }
    const waves = record.waves.flatMap((ids, wave) => ids.length > 0 ? [wave] : []);
    this.tools.log.info('Run planned', { run: record.runId, mode: record.mode, members: places.length, waves: waves.length, leftOut: selection.leftOut });
    return { runId: record.runId, mode: record.mode, epoch: record.epoch ?? 0, waves };
  }

  /** Once launched, a machine needs its point only for the root disk that is yet to be put in; the end of the run has unpinned it. */
  private async keepPoint(record: RunRecord, { memberId, pointId, status, launchMethod }: RunMember): Promise<void> {
    if (launchMethod !== 'replaced-root' || status !== 'LAUNCHED') return;
    const point = (await this.ports.points.completePoints(memberId)).find((each) => each.pointId === pointId);
    if (point !== undefined) await this.ports.points.pin(point, record.runId);
  }

  /** The row names the point before it is pinned, so that every pin can be found and taken away again. */
  private async planMember(record: RunRecord, choice: Choice, before: RunMember | undefined, wave: number, index: number): Promise<void> {
    const { points, runs } = this.ports;
    if (before !== undefined && before.pointId !== choice.point.pointId) {
      const candidates = await points.completePoints(before.memberId);
      const former = candidates.find(({ pointId }) => pointId === before.pointId);
      if (former !== undefined && await points.pin(former, record.runId)) return;
    }
    const planned = this.memberPlan(record, choice, wave, index);
    if (before === undefined) await runs.createRunMember(planned);
    else await runs.saveRunMember({ ...planned, attempt: before.attempt }, before);
    if (!await points.pin(choice.point, record.runId)) {
      throw new Error(`Recovery point ${choice.point.pointId} of ${choice.member.memberId} expired while the run was planned; the step is to be repeated`);
    }
  }

  private memberPlan(record: RunRecord, { member, point }: Choice, wave: number, index: number): RunMember {
    const { config } = this.input;
    return {
      ...planLaunch(member, point, config, record.mode, index),
      runId: record.runId,
      memberId: member.memberId,
      endpoint: member.endpoint,
      wave,
      status: 'PLANNED',
      pointId: point.pointId,
      consistentAt: point.consistentAt ?? point.createdAt,
      volumes: point.volumes,
      settings: member.settings,
      attempt: 1,
    };
  }
}

function epochField(epoch: number | undefined): { epoch?: number } {
  return epoch === undefined ? {} : { epoch };
}

function planProblem(member: EndpointMember, point: RecoveryPoint, config: RunConfig, mode: RunRequest['mode']): string | undefined {
  try {
    planLaunch(member, point, config, mode, 0);
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return error.message;
    throw error;
  }
}

/** Endpoints of which nothing is recovered, and the reasons for all that is left out. */
function describeLeftOut({ choices, leftOut }: Selection): { detail?: string; endpoints: string[] } {
  if (leftOut.length === 0) return { endpoints: [] };
  const recovered = new Set([...choices.values()].map(({ member }) => member.endpoint));
  const endpoints = [...new Set(leftOut.map(({ endpoint }) => endpoint))].filter((endpoint) => !recovered.has(endpoint));
  const reasons = listed(leftOut.map(({ memberId, reason }) => `${memberId}: ${reason}`));
  const whole = endpoints.length > 0 ? `Nothing of ${listed(endpoints)} is recovered. ` : '';
  return { detail: `${whole}Left out: ${reasons}`, endpoints };
}
