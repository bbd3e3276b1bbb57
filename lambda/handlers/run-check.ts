import { dynamoCatalogue } from '../adapters/catalogue';
import { ec2Client } from '../adapters/ec2-common';
import { Ec2Recovery } from '../adapters/ec2-recovery';
import { LambdaFunctions } from '../adapters/invoke';
import { atSite, eachSite } from '../adapters/sites';
import { SsmCommands } from '../adapters/ssm';
import { checkWave } from '../run/check';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-check', (environment) => eachSite(environment, (region) => ({
  ...dynamoCatalogue(environment),
  machines: new Ec2Recovery(ec2Client(region)),
  functions: new LambdaFunctions(environment.recoveryRegion),
  commands: new SsmCommands(region),
})), atSite(checkWave));
