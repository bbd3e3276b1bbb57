import type { UpkeepConfig } from '../core/config';
import { Tag } from '../core/tags';
import type { RecoveryMachines, RootReplacement } from '../adapters/ports/recovery-machines';
import { eachOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';

export interface TeardownPorts {
  readonly machines: RecoveryMachines;
  readonly roots: Pick<RootReplacement, 'volumesWithTags' | 'deleteVolume'>;
}

export interface TeardownResult {
  readonly terminated: number;
  readonly images: number;
  readonly volumes: number;
}

/**
 * Removes what drills have left after their time. It reads tags alone, neither the run's record nor its workflow: a drill
 * that hangs, or whose record is lost, ends all the same.
 */
export async function tearDownDrills({ config }: { readonly config: UpkeepConfig }, ports: TeardownPorts, tools: Tools): Promise<TeardownResult> {
  const ofDrills = { [Tag.PROJECT]: config.project, [Tag.MODE]: 'drill' };
  const isOver = ({ tags }: { readonly tags: Readonly<Record<string, string>> }): boolean => {
    const expiresAt = Number(tags[Tag.EXPIRES_AT]);
    // Without a readable time nothing is removed: the tag may have been changed by hand to keep a machine.
    return tags[Tag.PROJECT] === config.project && tags[Tag.MODE] === 'drill' && expiresAt > 0 && expiresAt * 1000 <= Date.parse(tools.now());
  };
  const machines = (await ports.machines.machinesWithTags(ofDrills)).filter(isOver);
  await ports.machines.terminate(machines.map(({ instanceId }) => instanceId));
  const images = (await ports.machines.images(Tag.MODE, ['drill'])).filter(isOver);
  await eachOf(images, async ({ imageId }) => {
    await ports.machines.deregisterImage(imageId);
  });
  const volumes = (await ports.roots.volumesWithTags(ofDrills)).filter((volume) => isOver(volume) && volume.state === 'available');
  await eachOf(volumes, async ({ volumeId }) => {
    await ports.roots.deleteVolume(volumeId);
  });
  const result = { terminated: machines.length, images: images.length, volumes: volumes.length };
  tools.log.info('Drill teardown', { project: config.project, ...result, instances: machines.map(({ instanceId }) => instanceId) });
  return result;
}
