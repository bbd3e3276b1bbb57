import { dynamoCatalogue } from '../adapters/catalogue';
import { synchronise } from '../run/failback/sync';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-sync', (environment) => dynamoCatalogue(environment), synchronise);
