import { dynamoCatalogue } from '../adapters/catalogue';
import { SfnExecutions } from '../adapters/executions';
import { wake } from '../cycle/wait';
import { handlerOf } from '../runtime/handler';

/** Target of the rules for EBS snapshot events of both Regions. That something happened is all that it takes from the event. */
export const handler = handlerOf('wake', (environment) => ({
  cycles: [dynamoCatalogue(environment).cycles, dynamoCatalogue(environment, 'return').cycles],
  executions: new SfnExecutions(environment.recoveryRegion),
}), async (_event: unknown, { cycles, executions }, tools) => {
  // At most one of the two directions works at a time.
  for (const each of cycles) if ((await wake({ cycles: each, executions }, tools)).woken) return { woken: true };
  return { woken: false };
});
