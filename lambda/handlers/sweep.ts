import { cyclePorts } from '../adapters/cycle-ports';
import { ec2Client } from '../adapters/ec2-common';
import { Ec2Recovery } from '../adapters/ec2-recovery';
import { Ec2RootReplacement } from '../adapters/ec2-root';
import { dynamoCatalogue } from '../adapters/catalogue';
import { SfnExecutions } from '../adapters/executions';
import { handlerOf } from '../runtime/handler';
import { sweep } from '../upkeep/sweep';

export const handler = handlerOf('sweep', (environment) => ({
  ...cyclePorts(environment),
  runs: dynamoCatalogue(environment).runs,
  leases: dynamoCatalogue(environment).leases,
  returns: cyclePorts(environment, 'return'),
  disks: new Ec2RootReplacement(ec2Client(environment.sourceRegion)),
  executions: new SfnExecutions(environment.recoveryRegion),
  machines: new Ec2Recovery(ec2Client(environment.recoveryRegion)),
}), sweep);
