import type { ProjectContext } from '../context';
import { catalogue } from './catalogue';
import type { Permission } from './permission';

const READ_WRITE = ['GetItem', 'Query', 'PutItem', 'UpdateItem'] as const;

/** Starts return cycles and waits for them; plans what comes back. */
export function runSync(context: ProjectContext): Permission[] {
  return catalogue(context, READ_WRITE, 'work');
}

/** Stops the recovered machines; starts them again when a failback does not come through. */
export function runDrain(context: ProjectContext): Permission[] {
  return catalogue(context, READ_WRITE, 'work');
}

/** Reads snapshots of both Regions. */
export function runVerify(context: ProjectContext): Permission[] {
  return catalogue(context, READ_WRITE);
}
