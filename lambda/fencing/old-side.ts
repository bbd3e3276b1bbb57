import type { FencingConfig } from '../core/fencing';
import { isRefused, messageOf } from '../adapters/errors';
import type { OldMachine, SourceFence } from '../adapters/ports/source-fence';
import type { FenceTarget } from './book';

/** The machines of the old side as the source Region showed them, or why it did not. */
export type OldSideView =
  | { readonly seen: true; readonly machines: ReadonlyMap<string, OldMachine>; readonly targets: readonly FenceTarget[] }
  | { readonly seen: false; readonly why: 'unreachable' | 'busy' | 'failed'; readonly detail: string; readonly targets: readonly FenceTarget[] };

/** Looks once. Machines that carry an endpoint's tags belong to the old side though no cycle has seen them yet. */
export async function lookAtOldSide(fencing: FencingConfig, known: readonly FenceTarget[], source: SourceFence): Promise<OldSideView> {
  try {
    const machines = new Map<string, OldMachine>();
    const targets = new Map(known.map((target) => [target.memberId, target]));
    for (const machine of await source.machines(known.map(({ instanceId }) => instanceId))) machines.set(machine.instanceId, machine);
    const endpoints = new Set(known.map(({ endpoint }) => endpoint));
    for (const { name, tags } of fencing.endpoints.filter((endpoint) => endpoints.has(endpoint.name))) {
      for (const machine of await source.machinesWithTags(tags)) {
        machines.set(machine.instanceId, machine);
        const memberId = `${name}/${machine.instanceId}`;
        if (!targets.has(memberId)) targets.set(memberId, { memberId, endpoint: name, instanceId: machine.instanceId });
      }
    }
    return { seen: true, machines, targets: [...targets.values()] };
  } catch (error) {
    if (!isRefused(error)) throw error;
    return { seen: false, why: isRefused(error, 'unreachable') ? 'unreachable' : isRefused(error, 'throttled') ? 'busy' : 'failed', detail: messageOf(error), targets: known };
  }
}
