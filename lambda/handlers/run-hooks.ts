import { dynamoCatalogue } from '../adapters/catalogue';
import { LambdaFunctions } from '../adapters/invoke';
import { eachSite } from '../adapters/sites';
import { SsmCommands } from '../adapters/ssm';
import { runHooks, type HooksInput } from '../run/hooks';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-hooks', (environment) => eachSite(environment, (region) => ({
  ...dynamoCatalogue(environment),
  back: dynamoCatalogue(environment, 'return'),
  functions: new LambdaFunctions(environment.recoveryRegion),
  commands: new SsmCommands(region),
})), (input: HooksInput, sites, tools) => {
  // What is drained are the recovered machines, whatever the mode launches elsewhere.
  const ports = sites(input.phase === 'drain' ? 'failover' : input.run.mode);
  return runHooks(input, ports, tools);
});
