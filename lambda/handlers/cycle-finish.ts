import { dynamoCatalogue } from '../adapters/catalogue';
import { finishCycle } from '../cycle/finish';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('cycle-finish', (environment) => dynamoCatalogue(environment), finishCycle);
