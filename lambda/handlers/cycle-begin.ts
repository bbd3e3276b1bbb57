import { dynamoCatalogue } from '../adapters/catalogue';
import { SfnExecutions } from '../adapters/executions';
import { beginCycle } from '../cycle/begin';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('cycle-begin', (environment) => ({
  ...dynamoCatalogue(environment),
  executions: new SfnExecutions(environment.recoveryRegion),
}), beginCycle);
