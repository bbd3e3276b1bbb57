import { dynamoCatalogue } from '../adapters/catalogue';
import { byDirection, eachDirection } from '../adapters/cycle-ports';
import { SfnExecutions } from '../adapters/executions';
import { beginCycle } from '../cycle/begin';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('cycle-begin', (environment) => {
  const executions = new SfnExecutions(environment.recoveryRegion);
  return eachDirection((direction) => ({ ...dynamoCatalogue(environment, direction), executions }));
}, byDirection(beginCycle));
