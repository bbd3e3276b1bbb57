import { dynamoCatalogue } from '../adapters/catalogue';
import { ec2Client } from '../adapters/ec2-common';
import { Ec2Fence } from '../adapters/ec2-fence';
import { Ec2Recovery } from '../adapters/ec2-recovery';
import { Ec2RootReplacement } from '../adapters/ec2-root';
import { IamRolePolicies } from '../adapters/iam-policies';
import { LambdaFunctions } from '../adapters/invoke';
import { releaseFences } from '../run/failback/release';
import { fenceRun, type FenceRunInput } from '../run/fence';
import { fenceFailed } from '../run/repair/fence';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-fence', (environment) => {
  const ec2 = ec2Client(environment.recoveryRegion);
  return {
    ...dynamoCatalogue(environment),
    machines: new Ec2Recovery(ec2),
    roots: new Ec2RootReplacement(ec2),
    source: new Ec2Fence(environment.sourceRegion),
    sourceTags: new Ec2RootReplacement(ec2Client(environment.sourceRegion)),
    roles: new IamRolePolicies(environment.recoveryRegion),
    functions: new LambdaFunctions(environment.recoveryRegion),
  };
}, (input: FenceRunInput, ports, tools) => {
  switch (input.run.mode) {
    case 'failback': return releaseFences(input, ports, tools);
    case 'repair': return fenceFailed(input, ports, tools);
    case 'drill': case 'failover': return fenceRun(input, ports, tools);
  }
});
