import { superseded, type EpochMachine } from '../core/fencing';
import { Tag } from '../core/tags';
import type { MachineFacts, RecoveryMachines, RootReplacement } from '../adapters/ports/recovery-machines';
import { eachOf } from '../runtime/pool';

export interface SupersededPorts {
  readonly machines: Pick<RecoveryMachines, 'machinesWithTags'>;
  readonly roots: Pick<RootReplacement, 'stop'>;
}

type Recovered = EpochMachine & {
  readonly state: string;
  /** A failback has taken its data back. */
  readonly replaced: boolean;
};

/** What failovers of the project have launched and is not terminated. */
export async function recoveredMachines(project: string, { machines }: SupersededPorts): Promise<Recovered[]> {
  const found = await machines.machinesWithTags({ [Tag.PROJECT]: project, [Tag.MODE]: 'failover' });
  return found.map(({ instanceId, state, tags }: MachineFacts) => ({
    instanceId, state, memberId: tags[Tag.MEMBER] ?? '', runId: tags[Tag.RUN] ?? '', epoch: Number(tags[Tag.EPOCH] ?? 0) || 0, replaced: tags[Tag.REPLACED_BY] !== undefined,
  }));
}

/** Stops, and does not terminate: their disks may hold what nothing else does. Answers those that have not stopped yet. */
export async function stopMachinesOf(stale: readonly Recovered[], { roots }: SupersededPorts, confirm: () => Promise<void>): Promise<Recovered[]> {
  const open = stale.filter(({ state }) => state !== 'stopped' && state !== 'terminated');
  await eachOf(open.filter(({ state }) => state === 'running' || state === 'pending'), async ({ instanceId }) => {
    await confirm();
    await roots.stop(instanceId);
  });
  return open;
}

/** Beside a newer machine of the same member: launched by a call that took effect after a newer run had taken over. */
export async function stopSuperseded(project: string, ports: SupersededPorts, confirm: () => Promise<void>): Promise<string[]> {
  const open = await stopMachinesOf(superseded(await recoveredMachines(project, ports)), ports, confirm);
  return open.map(({ instanceId }) => instanceId);
}

/** After a failback: what it has replaced runs again, beside the source machines. */
export async function stopReplaced(project: string, ports: SupersededPorts, confirm: () => Promise<void>): Promise<string[]> {
  const open = await stopMachinesOf((await recoveredMachines(project, ports)).filter(({ replaced }) => replaced), ports, confirm);
  return open.map(({ instanceId }) => instanceId);
}
