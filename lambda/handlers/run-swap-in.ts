import { dynamoCatalogue } from '../adapters/catalogue';
import { swapInKinds } from '../adapters/swap-in';
import { swapIn } from '../run/repair/swap-in';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-swap-in', (environment) => ({
  ...dynamoCatalogue(environment),
  kinds: swapInKinds(environment.sourceRegion),
}), swapIn);
