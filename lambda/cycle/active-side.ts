import type { Direction } from '../core/direction';
import type { LeaseStore } from '../adapters/ports/lease';
import type { Tools } from '../runtime/tools';
import { secondsSince } from './cycle';

/** A look at the lease counts for so long: far less than the time between a failover and the first exchange of a disk. */
const LOOK_SECONDS = 10;

/**
 * Whether the machines of a cycle are still those of the active side. A cycle that began before a failover goes on through it,
 * for hours where the interval is long: from then on a set of its machines would be the newest by its time and stale by its
 * content, or, in the middle of a failback, of old and new disks together.
 */
export class ActiveSide {
  private look?: { readonly at: string; readonly holds: Promise<boolean> };
  private lost = false;

  constructor(private readonly direction: Direction, private readonly leases: LeaseStore, private readonly tools: Pick<Tools, 'now'>) {}

  get isLost(): boolean {
    return this.lost;
  }

  /** To be asked right before each set; of many at once one asks the lease. */
  async holds(): Promise<boolean> {
    if (this.lost) return false;
    if (this.look === undefined || secondsSince(this.look.at, this.tools) >= LOOK_SECONDS) this.look = { at: this.tools.now(), holds: this.ask() };
    return this.look.holds;
  }

  private async ask(): Promise<boolean> {
    const { active } = await this.leases.lease();
    const holds = active === (this.direction === 'return' ? 'recovery' : 'source');
    if (!holds) this.lost = true;
    return holds;
  }
}
