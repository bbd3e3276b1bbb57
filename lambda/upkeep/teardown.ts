import type { UpkeepConfig } from '../core/config';
import { Tag } from '../core/tags';
import { isRefused } from '../adapters/errors';
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

/** Something of a drill is left. The function fails with it, so that the alarm on its errors tells somebody. */
export class TeardownIncomplete extends Error {
  override readonly name = 'TeardownIncomplete';
}

/** As many as fit into a message that a person reads. */
const NAMED_PROBLEMS = 5;

/**
 * Removes what drills have left after their time. It reads tags alone, neither the run's record nor its workflow: a drill
 * that hangs, or whose record is lost, ends all the same. What cannot be removed holds up nothing else.
 */
export async function tearDownDrills({ config }: { readonly config: UpkeepConfig }, ports: TeardownPorts, tools: Tools): Promise<TeardownResult> {
  return new Teardown(config.project, ports, tools).run();
}

class Teardown {
  private readonly problems: string[] = [];

  constructor(private readonly project: string, private readonly ports: TeardownPorts, private readonly tools: Tools) {}

  async run(): Promise<TeardownResult> {
    const { machines, roots } = this.ports;
    const ofDrills = { [Tag.PROJECT]: this.project, [Tag.MODE]: 'drill' };
    const instances = (await this.listed('instances', () => machines.machinesWithTags(ofDrills))).map(({ instanceId }) => instanceId);
    const terminated = await this.terminate(instances);
    const images = (await this.listed('images', () => machines.images(Tag.MODE, ['drill']))).map(({ imageId }) => imageId);
    const deregistered = await this.each(images, (id) => machines.deregisterImage(id));
    const volumes = (await this.listed('volumes', () => roots.volumesWithTags(ofDrills))).filter(({ state }) => state === 'available');
    const deleted = await this.each(volumes.map(({ volumeId }) => volumeId), (id) => roots.deleteVolume(id));
    const result = { terminated, images: deregistered, volumes: deleted };
    this.tools.log.info('Drill teardown', { project: this.project, ...result, instances });
    if (this.problems.length > 0) {
      this.tools.log.error('Drill teardown could not remove all', { project: this.project, problems: this.problems });
      const more = this.problems.length - NAMED_PROBLEMS;
      throw new TeardownIncomplete(`${this.problems.slice(0, NAMED_PROBLEMS).join('; ')}${more > 0 ? `; and ${more} more` : ''}. Remove these by hand, or take away what protects them; the next teardown tries again.`);
    }
    return result;
  }

  /** Those whose time is over. */
  private async listed<T extends { readonly tags: Readonly<Record<string, string>> }>(what: string, list: () => Promise<T[]>): Promise<T[]> {
    try {
      return (await list()).filter(({ tags }) => this.isOver(tags));
    } catch (error) {
      this.note(what, error);
      return [];
    }
  }

  private isOver(tags: Readonly<Record<string, string>>): boolean {
    const expiresAt = Number(tags[Tag.EXPIRES_AT]);
    // Without a readable time nothing is removed: the tag may have been changed by hand to keep a machine.
    return tags[Tag.PROJECT] === this.project && tags[Tag.MODE] === 'drill' && expiresAt > 0 && expiresAt * 1000 <= Date.parse(this.tools.now());
  }

  /** One machine that is protected from termination makes EC2 refuse a call for all that it names: then each gets its own. */
  private async terminate(ids: readonly string[]): Promise<number> {
    try {
      await this.ports.machines.terminate(ids);
      return ids.length;
    } catch (error) {
      if (!isRefused(error)) throw error;
      return this.each(ids, (id) => this.ports.machines.terminate([id]));
    }
  }

  private async each(ids: readonly string[], remove: (id: string) => Promise<unknown>): Promise<number> {
    let removed = 0;
    await eachOf(ids, async (id) => {
      try {
        await remove(id);
        removed += 1;
      } catch (error) {
        if (isRefused(error, 'not-found')) return;
        this.note(id, error);
      }
    });
    return removed;
  }

  private note(what: string, error: unknown): void {
    if (!isRefused(error)) throw error;
    this.problems.push(`${what}: ${error.message}`);
  }
}
