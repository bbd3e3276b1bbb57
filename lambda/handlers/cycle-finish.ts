import { dynamoCatalogue } from '../adapters/catalogue';
import { byDirection, eachDirection } from '../adapters/cycle-ports';
import { finishCycle } from '../cycle/finish';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('cycle-finish', (environment) => eachDirection((direction) => dynamoCatalogue(environment, direction)), byDirection(finishCycle));
