import { dynamoCatalogue } from '../adapters/catalogue';
import { ec2Client } from '../adapters/ec2-common';
import { Ec2Fence } from '../adapters/ec2-fence';
import { Ec2Recovery } from '../adapters/ec2-recovery';
import { Ec2RootReplacement } from '../adapters/ec2-root';
import { drain } from '../run/failback/drain';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-drain', (environment) => {
  const ec2 = ec2Client(environment.recoveryRegion);
  return {
    ...dynamoCatalogue(environment),
    machines: new Ec2Recovery(ec2),
    roots: new Ec2RootReplacement(ec2),
    source: new Ec2Fence(environment.sourceRegion),
    sourceTags: new Ec2RootReplacement(ec2Client(environment.sourceRegion)),
  };
}, drain);
