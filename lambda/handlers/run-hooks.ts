import { dynamoCatalogue } from '../adapters/catalogue';
import { LambdaFunctions } from '../adapters/invoke';
import { SsmCommands } from '../adapters/ssm';
import { runHooks } from '../run/hooks';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-hooks', (environment) => ({
  ...dynamoCatalogue(environment),
  back: dynamoCatalogue(environment, 'return'),
  functions: new LambdaFunctions(environment.recoveryRegion),
  commands: new SsmCommands(environment.recoveryRegion),
}), runHooks);
