import type { UpkeepConfig } from '../core/config';
import { Tag } from '../core/tags';
import type { RunStore } from '../adapters/ports/catalogue';
import type { RootReplacement } from '../adapters/ports/recovery-machines';
import { SWITCH_STEP } from '../run/failback/switch';
import { eachOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';

export interface OrphanVolumePorts {
  readonly runs: Pick<RunStore, 'run' | 'steps'>;
  /** In the source Region. */
  readonly disks: Pick<RootReplacement, 'volumesWithTags' | 'deleteVolume'>;
}

/**
 * Disks that a failback made and did not get to put in. Those that it took out of a machine are marked as replaced, and are
 * not its orphans; a run that ended a short while ago may yet be resumed and use what it has made. The disks of a failback
 * that came through, or that failed only after its switch, are those of working machines: one that is attached to nothing was
 * taken out or kept by somebody, and is never an orphan.
 */
export async function removeOrphanVolumes({ project, orphanAgeSeconds }: UpkeepConfig, { runs, disks }: OrphanVolumePorts, tools: Tools): Promise<number> {
  const made = await disks.volumesWithTags({ [Tag.PROJECT]: project, [Tag.MODE]: 'failback' });
  const loose = made.filter(({ state, tags }) => state === 'available' && tags[Tag.REPLACED_BY] === undefined && tags[Tag.RUN] !== undefined);
  const before = Date.parse(tools.now()) - orphanAgeSeconds * 1000;
  let removed = 0;
  await eachOf(loose, async ({ volumeId, tags }) => {
    const run = await runs.run(tags[Tag.RUN] ?? '');
    if (run?.status !== 'FAILED' || !(Date.parse(run.endedAt ?? '') < before)) return;
    if ((await runs.steps(run.runId)).some(({ name }) => name === SWITCH_STEP)) return;
    if (await disks.deleteVolume(volumeId) !== 'removed') return;
    removed += 1;
    tools.log.warn('Orphan removed', { volume: volumeId, run: run.runId });
  });
  return removed;
}
