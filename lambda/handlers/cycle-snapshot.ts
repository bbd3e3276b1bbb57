import { byDirection, cyclePorts, eachDirection } from '../adapters/cycle-ports';
import { snapshotMembers } from '../cycle/snapshot';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('cycle-snapshot', (environment) => eachDirection((direction) => cyclePorts(environment, direction)), byDirection(snapshotMembers));
