import type { HookConfig } from '../core/config';
import type { RunMember, RunMode } from '../core/model';
import { shortened } from '../core/text';
import { isRefused, messageOf } from '../adapters/errors';
import type { HookRecord, MemberStore, RunStore } from '../adapters/ports/catalogue';
import type { LeaseStore } from '../adapters/ports/lease';
import type { Commands, Functions } from '../adapters/ports/services';
import type { Tools } from '../runtime/tools';
import { commandState } from './command';
import { confirmEpoch } from './lease';
import { DONE, listed, RunFailed, runRecord, timed, waveConfig, type StepResult, type WaveInput } from './run';

export interface HooksInput extends WaveInput {
  /** `drain`: before the recovered machines of a failback stop; `wave` is -1. `redeploy`: on the new machines of a repair. */
  readonly phase: 'before' | 'after' | 'drain' | 'redeploy';
}

export interface HookPorts {
  readonly runs: RunStore;
  readonly leases: LeaseStore;
  readonly functions: Functions;
  readonly commands: Commands;
  /** Failback: the recovered machines, as return cycles found them. */
  readonly back: { readonly members: Pick<MemberStore, 'members'> };
}

/** What a hook is told of a machine, and chosen by. */
type HookMember = Pick<RunMember, 'memberId' | 'endpoint' | 'wave' | 'instanceId' | 'actualPrivateIp' | 'privateIp'>;

const WAIT_SECONDS = 5;
/** Kept of the function's remaining time for storing what a hook answered. */
const RESERVE_MS = 10_000;

/** What a hook function is given, beside the parameters configured for it. */
export interface HookEvent {
  readonly project: string;
  readonly runId: string;
  /**
   * Hooks run in drills too. A function that changes what the world sees (DNS, a load balancer, a queue's consumers) must do
   * so when this is `failover` and must not when it is `drill`.
   */
  readonly mode: RunMode;
  readonly wave: number;
  readonly phase: string;
  readonly hook: string;
  /** The same when the hook is called again because the step was interrupted. */
  readonly idempotencyKey: string;
  readonly members: readonly MachineReference[];
}

export interface MachineReference {
  readonly memberId: string;
  readonly endpoint: string;
  readonly instanceId?: string;
  readonly privateIp?: string;
}

export function machineReferences(members: readonly Omit<HookMember, 'wave'>[]): MachineReference[] {
  return members.map(({ memberId, endpoint, instanceId, actualPrivateIp, privateIp }) => ({
    memberId, endpoint, instanceId, privateIp: actualPrivateIp ?? privateIp,
  }));
}

/** Runs the hooks of a wave's phase one after the other; one that has succeeded is not run again. */
export async function runHooks(input: HooksInput, ports: HookPorts, tools: Tools): Promise<StepResult> {
  const hooks = hooksOf(input);
  if (hooks.length === 0) return DONE;
  const name = input.phase === 'drain' ? 'hooks-drain' : `wave-${input.wave}/hooks-${input.phase}`;
  return timed(name, input, ports.runs, tools, async () => {
    const [records, members] = await Promise.all([ports.runs.hooks(input.run.runId), membersOf(input, ports)]);
    const failed: string[] = [];
    for (const hook of hooks.filter(({ endpoints }) => input.phase !== 'redeploy' || members.some(({ endpoint }) => endpoints?.includes(endpoint) === true))) {
      const stored = records.find(({ wave, phase, name }) => wave === input.wave && phase === input.phase && name === hook.name);
      if (stored?.status === 'SUCCEEDED') continue;
      if (stored?.status === 'FAILED' && hook.onFailure === 'continue') {
        failed.push(`${hook.name}: ${stored.detail ?? 'failed'}`);
        continue;
      }
      await confirmEpoch(input.run, ports.leases);
      const outcome = await new Hook(hook, input, members, ports, tools).run(stored);
      if (outcome === 'running') return { done: false, waitSeconds: WAIT_SECONDS };
      if (outcome === 'no-time') return { done: false, waitSeconds: 1 };
      if (outcome.failure !== undefined) failed.push(`${hook.name}: ${outcome.failure}`);
    }
    return failed.length === 0 ? DONE : { ...DONE, detail: `went on without ${listed(failed)}` };
  });
}

function hooksOf({ config, wave, phase }: HooksInput): readonly HookConfig[] {
  switch (phase) {
    case 'before': case 'after': return waveConfig(config, wave)[phase];
    case 'drain': return config.failback?.drain ?? [];
    // Each on the new machines of its endpoint; what these depend on came in an earlier wave.
    case 'redeploy': return waveConfig(config, wave).endpoints.flatMap((endpoint) => (config.repair?.endpoints[endpoint]?.redeploy ?? [])
      .map((hook) => ({ ...hook, name: `${endpoint}.${hook.name}`, endpoints: [endpoint] })));
  }
}

/** Before a failback has planned anything, its machines are those that are about to stop. */
async function membersOf({ run: { runId }, wave, phase }: HooksInput, { runs, back }: HookPorts): Promise<readonly HookMember[]> {
  if (phase !== 'drain') return runs.runMembers(runId);
  const own = new Set((await runRecord(runs, runId)).waves.flat());
  return (await back.members.members())
    .filter(({ memberId, missingSince }) => own.has(memberId) && missingSince === undefined)
    .map(({ memberId, endpoint, instanceId, settings }) => ({ memberId, endpoint, wave, instanceId, privateIp: settings.privateIp }));
}

interface Ended {
  readonly failure?: string;
}

class Hook {
  constructor(
    private readonly hook: HookConfig, private readonly input: HooksInput, private readonly members: readonly HookMember[],
    private readonly ports: HookPorts, private readonly tools: Tools,
  ) {}

  async run(stored: HookRecord | undefined): Promise<Ended | 'running' | 'no-time'> {
    const again = stored?.status === 'RUNNING' ? stored : undefined;
    // A function that cannot end before this one is killed would look as if it had never answered.
    const budgetMs = this.tools.deadline.remainingMs() - RESERVE_MS;
    if (this.hook.kind === 'lambda' && budgetMs < Math.min(this.hook.timeoutSeconds * 1000, LONGEST_BUDGET_MS)) return 'no-time';
    const record = again ?? this.begun();
    if (again === undefined) await this.ports.runs.saveHook(record);
    return this.hook.kind === 'lambda' ? this.invoke(record, budgetMs) : this.command(record);
  }

  private begun(): HookRecord {
    const { run, wave, phase } = this.input;
    return { runId: run.runId, wave, phase, name: this.hook.name, status: 'RUNNING', startedAt: this.tools.now() };
  }

  private get idempotencyKey(): string {
    const { run, wave, phase } = this.input;
    return `${run.runId}/${wave}/${phase}/${this.hook.name}`;
  }

  private async invoke(record: HookRecord, budgetMs: number): Promise<Ended | 'running'> {
    const { config, run, wave, phase } = this.input;
    const event: HookEvent = {
      ...this.hook.parameters,
      project: config.project,
      runId: run.runId,
      mode: run.mode,
      wave,
      phase,
      hook: this.hook.name,
      idempotencyKey: this.idempotencyKey,
      members: machineReferences(this.members.filter((member) => member.wave === wave && (this.hook.endpoints === undefined || this.hook.endpoints.includes(member.endpoint)))),
    };
    try {
      const { error } = await this.ports.functions.invoke(this.hook.target, event, Math.min(this.hook.timeoutSeconds * 1000, budgetMs));
      return await this.end(record, error);
    } catch (error) {
      if (!isRefused(error)) throw error;
      // Lambda said itself that it does not run: the run goes on trying. Without an answer it may run still, and a second beside it could harm.
      const seconds = (Date.parse(this.tools.now()) - Date.parse(record.startedAt)) / 1000;
      if ((error.kind === 'throttled' || error.code === 'ServiceException') && seconds < this.hook.timeoutSeconds) return 'running';
      return await this.end(record, messageOf(error));
    }
  }

  private async command(record: HookRecord): Promise<Ended | 'running'> {
    const { endpoints, timeoutSeconds, target, parameters = {} } = this.hook;
    const chosen = this.members.filter((member) => endpoints === undefined ? member.wave === this.input.wave : endpoints.includes(member.endpoint));
    const instanceIds = chosen.flatMap(({ instanceId }) => instanceId ?? []);
    const state = await commandState(record, {
      document: target, parameters, instanceIds, timeoutSeconds, idempotencyKey: `${this.idempotencyKey}/${record.startedAt}`,
    }, this.ports.commands);
    if (state.state === 'succeeded') return this.end(record, undefined, state.commandIds);
    if (state.state === 'failed') return this.end(record, state.detail, state.commandIds);
    const seconds = (Date.parse(this.tools.now()) - Date.parse(record.startedAt)) / 1000;
    if (seconds > timeoutSeconds) return this.end(record, `not finished after ${timeoutSeconds} s: ${state.detail}`, state.commandIds);
    if (record.commandIds === undefined && state.commandIds.length > 0) await this.ports.runs.saveHook({ ...record, commandIds: state.commandIds });
    return 'running';
  }

  private async end(record: HookRecord, reason: string | undefined, commandIds?: readonly string[]): Promise<Ended> {
    const failure = reason === undefined ? undefined : shortened(reason);
    await this.ports.runs.saveHook({
      ...record,
      ...(commandIds === undefined ? {} : { commandIds }),
      status: failure === undefined ? 'SUCCEEDED' : 'FAILED',
      endedAt: this.tools.now(),
      ...(failure === undefined ? {} : { detail: failure }),
    });
    const context = { run: record.runId, wave: record.wave, phase: record.phase, hook: record.name };
    if (failure === undefined) {
      this.tools.log.info('Hook succeeded', context);
      return {};
    }
    this.tools.log.error('Hook failed', { ...context, reason: failure });
    if (this.hook.onFailure === 'continue') return { failure };
    throw new RunFailed('HookFailed', `Hook ${record.name} ${record.phase === 'drain' ? 'before the drain' : `${record.phase} wave ${record.wave + 1}`} failed: ${failure}`);
  }
}

/** A function runs at most 15 minutes, and so does this one, which must outlive it. */
const LONGEST_BUDGET_MS = 14 * 60_000 - RESERVE_MS;
