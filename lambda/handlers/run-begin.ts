import { dynamoCatalogue } from '../adapters/catalogue';
import { ec2Client } from '../adapters/ec2-common';
import { Ec2RecoverySnapshots } from '../adapters/ec2-snapshots';
import { SfnExecutions } from '../adapters/executions';
import { beginRun } from '../run/begin';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-begin', (environment) => ({
  ...dynamoCatalogue(environment),
  recovery: new Ec2RecoverySnapshots(ec2Client(environment.recoveryRegion)),
  executions: new SfnExecutions(environment.recoveryRegion),
}), beginRun);
