import { dynamoCatalogue } from '../adapters/catalogue';
import { ec2Client } from '../adapters/ec2-common';
import { Ec2Fence } from '../adapters/ec2-fence';
import { Ec2Recovery } from '../adapters/ec2-recovery';
import { Ec2RecoverySnapshots } from '../adapters/ec2-snapshots';
import { Ec2Zones } from '../adapters/ec2-zones';
import { SfnExecutions } from '../adapters/executions';
import { beginRun } from '../run/begin';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-begin', (environment) => {
  const ec2 = ec2Client(environment.recoveryRegion);
  return {
    ...dynamoCatalogue(environment),
    recovery: new Ec2RecoverySnapshots(ec2),
    machines: new Ec2Recovery(ec2),
    source: new Ec2Fence(environment.sourceRegion),
    zones: new Ec2Zones(environment.sourceRegion),
    sourceMachines: new Ec2Recovery(ec2Client(environment.sourceRegion)),
    executions: new SfnExecutions(environment.recoveryRegion),
  };
}, beginRun);
