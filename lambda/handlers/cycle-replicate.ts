import { cyclePorts } from '../adapters/cycle-ports';
import { replicate } from '../cycle/replicate';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('cycle-replicate', cyclePorts, replicate);
