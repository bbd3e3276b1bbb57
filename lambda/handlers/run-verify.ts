import { dynamoCatalogue } from '../adapters/catalogue';
import { verifyDisks } from '../run/failback/verify';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-verify', (environment) => dynamoCatalogue(environment), verifyDisks);
