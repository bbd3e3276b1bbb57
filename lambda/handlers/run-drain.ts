import { dynamoCatalogue } from '../adapters/catalogue';
import { drain } from '../run/failback/drain';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-drain', (environment) => dynamoCatalogue(environment), drain);
