import type { Side } from './lease';
import type { RunMode } from './model';

/** Which way recovery points travel: from the source Region to the recovery Region, or back before a failback. */
export type Direction = 'forward' | 'return';

/** The side on which a mode launches machines. */
export function siteOf(mode: RunMode): Side {
  return mode === 'failback' || mode === 'repair' ? 'source' : 'recovery';
}

/** The way that the points of a mode have come. */
export function directionOf(mode: RunMode): Direction {
  return mode === 'failback' ? 'return' : 'forward';
}
