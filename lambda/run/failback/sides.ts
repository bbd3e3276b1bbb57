import type { FailbackConfig, RunConfig } from '../../core/config';
import { superseded, type EpochMachine } from '../../core/fencing';
import type { Lease } from '../../core/lease';
import type { RunMember, RunRecord, RunStep } from '../../core/model';
import { Tag } from '../../core/tags';
import { isRefused } from '../../adapters/errors';
import type { RecoveryMachines } from '../../adapters/ports/recovery-machines';
import { eachOf } from '../../runtime/pool';
import type { Tools } from '../../runtime/tools';
import { InvalidRequest } from '../run';

/** The project may have been deployed anew since the run began. */
export function failbackOf({ failback, project }: RunConfig): FailbackConfig {
  if (failback === undefined) throw new InvalidRequest(`Project ${project} declares no failback any more. Declare it again, deploy its stack and resume.`);
  return failback;
}

/** A machine that a failover has launched. */
export interface Recovered extends EpochMachine {
  readonly endpoint: string;
  readonly state: string;
  readonly volumeIds: readonly string[];
  /** The failback that has taken its data back. */
  readonly replacedBy?: string;
}

/** All that failovers of the project have launched and that is not terminated. */
export async function recoveredSide(project: string, machines: Pick<RecoveryMachines, 'machinesWithTags'>): Promise<Recovered[]> {
  const found = await machines.machinesWithTags({ [Tag.PROJECT]: project, [Tag.MODE]: 'failover' });
  return found.map(({ instanceId, state, tags, volumes }) => ({
    instanceId, state,
    memberId: tags[Tag.MEMBER] ?? '', endpoint: tags[Tag.ENDPOINT] ?? '', runId: tags[Tag.RUN] ?? '', epoch: Number(tags[Tag.EPOCH] ?? 0) || 0,
    volumeIds: volumes.map(({ volumeId }) => volumeId),
    ...(tags[Tag.REPLACED_BY] === undefined ? {} : { replacedBy: tags[Tag.REPLACED_BY] }),
  }));
}

/** Those that hold what is newest: one for each member, of the activation that began with this epoch. */
export function newestOf(all: readonly Recovered[], activationEpoch: number): Recovered[] {
  const current = all.filter(({ epoch, replacedBy }) => replacedBy === undefined && epoch >= activationEpoch);
  const older = new Set(superseded(current));
  return current.filter((machine) => !older.has(machine)).sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
}

/** The id of the member's machine in the source Region. */
export function originalId(memberId: string): string {
  return memberId.slice(memberId.lastIndexOf('/') + 1);
}

/** The machine in the source Region that the run has started for a member, or, killed before it could note that, may have. */
export function startedFor({ memberId, instanceId, launchMethod, wave }: RunMember, steps: readonly RunStep[]): string | undefined {
  if (instanceId !== undefined) return instanceId;
  return launchMethod === 'swapped-disks' && steps.some(({ name }) => name === `wave-${wave}/launch`) ? originalId(memberId) : undefined;
}

/** EC2 has no such machine any more. */
export function isGone(machine: { readonly state: string } | undefined): boolean {
  return machine === undefined || machine.state === 'terminated' || machine.state === 'shutting-down';
}

export function isStopped({ state }: { readonly state: string }): boolean {
  return state === 'stopped' || state === 'terminated';
}

/** The run has made its side the active one: what comes before that is over. */
export function hasSwitched({ active, activeBy }: Lease, runId: string): boolean {
  return active === 'source' && activeBy === runId;
}

/** Of a step begun then, in this execution of the run. */
export function secondsInStep(startedAt: string, { resumedAt }: Pick<RunRecord, 'resumedAt'>, tools: Pick<Tools, 'now'>): number {
  const since = resumedAt !== undefined && resumedAt > startedAt ? resumedAt : startedAt;
  return (Date.parse(tools.now()) - Date.parse(since)) / 1000;
}

export interface Changing {
  readonly force: boolean;
  /** Throws when the right to change anything is gone. */
  readonly confirm: () => Promise<void>;
  /** What EC2 refused for now, by machine: told if time runs out. */
  readonly refusals: Map<string, string>;
}

/** One move towards all of them being stopped. Answers those that are not yet. */
export async function stopAll<T extends { readonly instanceId: string; readonly state: string }>(
  machines: readonly T[], stop: (instanceId: string, force: boolean) => Promise<void>, { force, confirm, refusals }: Changing,
): Promise<T[]> {
  const open = machines.filter((machine) => !isStopped(machine));
  const called = open.filter(({ state }) => state === 'running' || state === 'pending' || (force && state === 'stopping'));
  await eachOf(called, async ({ instanceId }) => {
    await confirm();
    await noting(instanceId, refusals, () => stop(instanceId, force));
  });
  return open;
}

/** What EC2 refuses for now is noted, to be tried again. */
export async function noting(instanceId: string, refusals: Map<string, string>, call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!isRefused(error, 'throttled', 'unreachable', 'not-ready', 'not-found', 'capacity', 'quota')) throw error;
    refusals.set(instanceId, error.message);
  }
}

/** In messages: the machine, its state, and what EC2 said of it last. */
export function shown({ instanceId, state }: { readonly instanceId: string; readonly state: string }, refusals: ReadonlyMap<string, string> = new Map()): string {
  const refusal = refusals.get(instanceId);
  return `${instanceId} (${state}${refusal === undefined ? '' : `: ${refusal}`})`;
}
