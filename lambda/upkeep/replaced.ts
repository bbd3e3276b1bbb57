import type { UpkeepConfig } from '../core/config';
import { Tag } from '../core/tags';
import { isRefused } from '../adapters/errors';
import type { RecoveryMachines, RootReplacement } from '../adapters/ports/recovery-machines';
import { eachOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';

/** One Region's machines and disks. */
export interface RemovalPorts {
  readonly machines: Pick<RecoveryMachines, 'machinesWithTags' | 'terminate'>;
  readonly disks: Pick<RootReplacement, 'volumesWithTags' | 'deleteVolume'>;
}

export interface Removed {
  readonly machines: readonly string[];
  readonly volumes: readonly string[];
  readonly problems: readonly string[];
}

/**
 * Removes machines and disks that others have taken the place of, once the time is over for which they are kept. Without a
 * readable time nothing is removed: the tag may have been taken away to keep a disk.
 */
export async function removeReplaced({ project }: Pick<UpkeepConfig, 'project'>, { machines, disks }: RemovalPorts, tools: Tools): Promise<Removed> {
  const problems: string[] = [];
  const isOver = ({ tags }: { readonly tags: Readonly<Record<string, string>> }): boolean => {
    const expiresAt = Number(tags[Tag.EXPIRES_AT]);
    return tags[Tag.REPLACED_BY] !== undefined && expiresAt > 0 && expiresAt * 1000 <= Date.parse(tools.now());
  };
  const trying = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!isRefused(error)) throw error;
      if (error.kind !== 'not-found') problems.push(`${what}: ${error.message}`);
    }
  };
  const gone: string[] = [];
  const deleted: string[] = [];
  await trying('machines', async () => {
    // One that runs was started by somebody, who may need it.
    const over = (await machines.machinesWithTags({ [Tag.PROJECT]: project })).filter((machine) => machine.state === 'stopped' && isOver(machine));
    await eachOf(over, ({ instanceId }) => trying(instanceId, async () => {
      await machines.terminate([instanceId]);
      gone.push(instanceId);
    }));
  });
  await trying('disks', async () => {
    // Those of a machine that is terminated now follow with the next look.
    const over = (await disks.volumesWithTags({ [Tag.PROJECT]: project })).filter((volume) => volume.state === 'available' && isOver(volume));
    await eachOf(over, ({ volumeId }) => trying(volumeId, async () => {
      if (await disks.deleteVolume(volumeId) === 'removed') deleted.push(volumeId);
    }));
  });
  if (gone.length + deleted.length > 0) tools.log.info('Removed what was replaced', { project, machines: gone, volumes: deleted });
  return { machines: gone, volumes: deleted, problems };
}
