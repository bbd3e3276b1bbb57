import { cyclePorts } from '../adapters/cycle-ports';
import { snapshotMembers } from '../cycle/snapshot';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('cycle-snapshot', cyclePorts, snapshotMembers);
