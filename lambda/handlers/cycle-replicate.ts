import { byDirection, cyclePorts, eachDirection } from '../adapters/cycle-ports';
import { replicate } from '../cycle/replicate';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('cycle-replicate', (environment) => eachDirection((direction) => cyclePorts(environment, direction)), byDirection(replicate));
