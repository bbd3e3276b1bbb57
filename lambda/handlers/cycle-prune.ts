import { byDirection, cyclePorts, eachDirection } from '../adapters/cycle-ports';
import { prune } from '../cycle/prune';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('cycle-prune', (environment) => eachDirection((direction) => cyclePorts(environment, direction)), byDirection(prune));
