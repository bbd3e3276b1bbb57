import { dynamoCatalogue } from '../adapters/catalogue';
import { byDirection, eachDirection } from '../adapters/cycle-ports';
import { SfnExecutions } from '../adapters/executions';
import { waitForEvent } from '../cycle/wait';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('cycle-wait', (environment) => {
  const executions = new SfnExecutions(environment.recoveryRegion);
  return eachDirection((direction) => ({ cycles: dynamoCatalogue(environment, direction).cycles, executions }));
}, byDirection(waitForEvent));
