import { dynamoCatalogue } from '../adapters/catalogue';
import { SfnExecutions } from '../adapters/executions';
import { waitForEvent } from '../cycle/wait';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('cycle-wait', (environment) => ({
  cycles: dynamoCatalogue(environment).cycles,
  executions: new SfnExecutions(environment.recoveryRegion),
}), waitForEvent);
