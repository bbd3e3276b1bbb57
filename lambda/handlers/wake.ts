import { dynamoCatalogue } from '../adapters/catalogue';
import { SfnExecutions } from '../adapters/executions';
import { wake } from '../cycle/wait';
import { handlerOf } from '../runtime/handler';

/** Target of the rules for EBS snapshot events of both Regions. That something happened is all that it takes from the event. */
export const handler = handlerOf('wake', (environment) => ({
  cycles: dynamoCatalogue(environment).cycles,
  executions: new SfnExecutions(environment.recoveryRegion),
}), (_event: unknown, ports, tools) => wake(ports, tools));
