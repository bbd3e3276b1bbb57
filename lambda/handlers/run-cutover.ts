import { dynamoCatalogue } from '../adapters/catalogue';
import { cutoverKinds } from '../adapters/cutover';
import { cutOver } from '../run/cutover';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-cutover', (environment) => ({
  ...dynamoCatalogue(environment),
  kinds: cutoverKinds(environment.recoveryRegion),
}), cutOver);
