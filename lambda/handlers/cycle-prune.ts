import { cyclePorts } from '../adapters/cycle-ports';
import { prune } from '../cycle/prune';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('cycle-prune', cyclePorts, prune);
