import type { UpkeepConfig } from '../core/config';
import type { RecoveryMachines, RootReplacement } from '../adapters/ports/recovery-machines';
import type { Tools } from '../runtime/tools';
import { removeReplaced, type Removed } from './replaced';
import { tearDownDrills, TeardownIncomplete, type TeardownPorts, type TeardownResult } from './teardown';

export interface TearDownPorts extends TeardownPorts {
  readonly roots: RootReplacement;
  readonly sourceMachines: Pick<RecoveryMachines, 'machinesWithTags' | 'terminate'>;
  readonly sourceRoots: Pick<RootReplacement, 'volumesWithTags' | 'deleteVolume'>;
}

/**
 * What is over: drills, and what was replaced. Neither holds up the other, and a source Region that does not answer holds up
 * nothing: what is kept there waits.
 */
export async function tearDown(input: { readonly config: UpkeepConfig }, ports: TearDownPorts, tools: Tools): Promise<TeardownResult> {
  const { config } = input;
  if (config.replaces !== true) return tearDownDrills(input, ports, tools);
  const here = await removeReplaced(config, { machines: ports.machines, disks: ports.roots }, tools);
  const there = await removeReplaced(config, { machines: ports.sourceMachines, disks: ports.sourceRoots }, tools);
  const drills = await tearDownDrills(input, ports, tools);
  if (there.problems.length > 0) tools.log.warn('What was replaced in the source Region could not all be removed; the next teardown tries again', { problems: there.problems });
  if (here.problems.length > 0) throw new TeardownIncomplete(`${here.problems.join('; ')}. The next teardown tries again.`);
  return { ...drills, terminated: drills.terminated + count('machines', here, there), volumes: drills.volumes + count('volumes', here, there) };
}

function count(what: 'machines' | 'volumes', ...all: readonly Removed[]): number {
  return all.reduce((sum, removed) => sum + removed[what].length, 0);
}
