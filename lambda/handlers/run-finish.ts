import { dynamoCatalogue } from '../adapters/catalogue';
import { ec2Client } from '../adapters/ec2-common';
import { Ec2Recovery } from '../adapters/ec2-recovery';
import { finishRun } from '../run/finish';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-finish', (environment) => ({
  ...dynamoCatalogue(environment),
  back: dynamoCatalogue(environment, 'return'),
  machines: new Ec2Recovery(ec2Client(environment.recoveryRegion)),
  sourceMachines: new Ec2Recovery(ec2Client(environment.sourceRegion)),
}), finishRun);
