import type { CheckConfig } from '../core/config';
import type { RunMember } from '../core/model';
import { shortened } from '../core/text';
import { messageOf, RefusedCall } from '../adapters/errors';
import type { HookRecord, RunStore } from '../adapters/ports/catalogue';
import type { LeaseStore } from '../adapters/ports/lease';
import type { RecoveryMachines } from '../adapters/ports/recovery-machines';
import type { Commands, Functions } from '../adapters/ports/services';
import { eachOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';
import { commandState } from './command';
import { machineReferences } from './hooks';
import { confirmEpoch } from './lease';
import { listed, membersOfWave, RunFailed, saved, timed, waveConfig, type StepResult, type WaveInput } from './run';

export interface CheckPorts {
  readonly runs: RunStore;
  readonly leases: LeaseStore;
  readonly machines: RecoveryMachines;
  readonly functions: Functions;
  readonly commands: Commands;
}

/** What a check function answers. */
export interface CheckAnswer {
  readonly passed: boolean;
  readonly detail?: string;
}

const WAIT_SECONDS = 5;
const RESERVE_MS = 10_000;

interface Verdict {
  readonly passed: boolean;
  readonly detail: string;
}

type Verdicts = (member: RunMember) => Verdict;

/** Looks once at every check of the wave. A member passes when all its checks do, and fails by the time-out of one. */
export async function checkWave(input: WaveInput, ports: CheckPorts, tools: Tools): Promise<StepResult> {
  return timed(`wave-${input.wave}/check`, input, ports.runs, tools, async () => {
    // Functions and commands that check may change something, too.
    await confirmEpoch(input.run, ports.leases);
    const { checks } = waveConfig(input.config, input.wave);
    const members = await membersOfWave(ports.runs, input.run.runId, input.wave);
    const open = members.filter(({ status }) => status === 'RUNNING');
    const verdicts = new Map<CheckConfig, Verdicts>();
    if (open.length > 0) {
      for (const check of checks) verdicts.set(check, await new Check(check, input, open, ports, tools).look());
    }
    const failed = members.filter(({ status }) => status === 'FAILED').map(({ memberId, error }) => `${memberId}: ${error ?? 'failed'}`);
    let pending = 0;
    await eachOf(open, async (member) => {
      const failing = checks.map((check) => ({ check, ...verdictOf(verdicts, check, member) })).filter(({ passed }) => !passed);
      const late = failing.find(({ check }) => secondsRunning(member, tools) > check.timeoutSeconds);
      if (failing.length === 0) {
        await saved(ports.runs, member, { status: 'PASSED', passedAt: tools.now() });
      } else if (late !== undefined) {
        const error = `check ${late.check.name} did not pass within ${late.check.timeoutSeconds} s: ${late.detail}`;
        await saved(ports.runs, member, { status: 'FAILED', error });
        failed.push(`${member.memberId}: ${error}`);
        tools.log.error('Check failed', { run: input.run.runId, member: member.memberId, reason: error });
      } else pending += 1;
    });
    if (pending > 0) return { done: false, waitSeconds: WAIT_SECONDS };
    if (failed.length > 0) throw new RunFailed('CheckFailed', `Wave ${input.wave + 1}: ${listed(failed)}`);
    return { done: true, waitSeconds: 0, detail: `${members.length} machines passed ${checks.length} checks` };
  });
}

function verdictOf(verdicts: ReadonlyMap<CheckConfig, Verdicts>, check: CheckConfig, member: RunMember): Verdict {
  return verdicts.get(check)?.(member) ?? { passed: false, detail: 'not looked at yet' };
}

function secondsRunning({ runningAt, launchedAt }: RunMember, tools: Tools): number {
  return (Date.parse(tools.now()) - Date.parse(runningAt ?? launchedAt ?? tools.now())) / 1000;
}

class Check {
  constructor(
    private readonly check: CheckConfig, private readonly input: WaveInput, private readonly members: readonly RunMember[],
    private readonly ports: CheckPorts, private readonly tools: Tools,
  ) {}

  async look(): Promise<Verdicts> {
    try {
      switch (this.check.kind) {
        case 'instance-status': return await this.statuses();
        case 'lambda': return await this.invoke();
        case 'ssm': return await this.command();
      }
    } catch (error) {
      // A check that cannot be asked has not passed; its time-out decides.
      if (!(error instanceof RefusedCall)) throw error;
      return () => ({ passed: false, detail: messageOf(error) });
    }
  }

  private async statuses(): Promise<Verdicts> {
    const statuses = await this.ports.machines.statuses(this.members.flatMap(({ instanceId }) => instanceId ?? []));
    const byId = new Map(statuses.map((status) => [status.instanceId, status]));
    return ({ instanceId = '' }) => {
      const status = byId.get(instanceId);
      return { passed: status?.ok === true, detail: status?.detail ?? 'EC2 does not show a status yet' };
    };
  }

  /** One call for the wave. */
  private async invoke(): Promise<Verdicts> {
    const { config, run, wave } = this.input;
    const { payload, error } = await this.ports.functions.invoke(this.check.target ?? '', {
      ...this.check.parameters,
      project: config.project,
      runId: run.runId,
      mode: run.mode,
      wave,
      check: this.check.name,
      members: machineReferences(this.members),
    }, Math.min(this.check.timeoutSeconds * 1000, this.tools.deadline.remainingMs() - RESERVE_MS));
    const answer = payload as Partial<CheckAnswer> | undefined;
    const verdict = { passed: error === undefined && answer?.passed === true, detail: shortened(String(error ?? answer?.detail ?? `it answered ${JSON.stringify(payload)}`)) };
    return () => verdict;
  }

  /** A command that failed on a machine is sent again until the time-out: what it tests may still be starting. */
  private async command(): Promise<Verdicts> {
    const { run, wave } = this.input;
    const records = await this.ports.runs.hooks(run.runId);
    const stored = records.find((record) => record.wave === wave && record.phase === 'check' && record.name === this.check.name);
    if (stored?.status === 'SUCCEEDED') return () => ({ passed: true, detail: stored.detail ?? '' });
    const record: HookRecord = stored?.status === 'RUNNING' ? stored : {
      runId: run.runId, wave, phase: 'check', name: this.check.name, status: 'RUNNING', startedAt: this.tools.now(),
    };
    if (record !== stored) await this.ports.runs.saveHook(record);
    const state = await commandState(record, {
      document: this.check.target ?? '',
      parameters: this.check.parameters ?? {},
      instanceIds: this.members.flatMap(({ instanceId }) => instanceId ?? []),
      timeoutSeconds: this.check.timeoutSeconds,
      idempotencyKey: `${run.runId}/${wave}/check/${this.check.name}/${record.startedAt}`,
    }, this.ports.commands);
    await this.store(record, state.state, state.detail, state.commandIds);
    const byId = new Map(state.results.map((result) => [result.instanceId, result]));
    return ({ instanceId = '' }) => {
      const result = byId.get(instanceId);
      return { passed: result?.state === 'succeeded', detail: result?.detail ?? state.detail };
    };
  }

  private async store(record: HookRecord, state: 'running' | 'succeeded' | 'failed', detail: string, commandIds: readonly string[]): Promise<void> {
    if (state === 'running') {
      if (record.commandIds === undefined && commandIds.length > 0) await this.ports.runs.saveHook({ ...record, commandIds });
      return;
    }
    await this.ports.runs.saveHook({ ...record, commandIds, status: state === 'succeeded' ? 'SUCCEEDED' : 'FAILED', endedAt: this.tools.now(), detail });
  }
}
