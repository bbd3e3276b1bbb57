import { dynamoCatalogue } from '../adapters/catalogue';
import { Ec2Fence } from '../adapters/ec2-fence';
import { SfnExecutions } from '../adapters/executions';
import { SfnStarter } from '../adapters/start-execution';
import { synchronise } from '../run/failback/sync';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-sync', (environment) => ({
  ...dynamoCatalogue(environment),
  back: dynamoCatalogue(environment, 'return'),
  source: new Ec2Fence(environment.sourceRegion),
  executions: new SfnExecutions(environment.recoveryRegion),
  starter: new SfnStarter(environment.recoveryRegion),
}), synchronise);
