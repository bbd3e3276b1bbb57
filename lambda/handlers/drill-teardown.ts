import { ec2Client } from '../adapters/ec2-common';
import { Ec2Recovery } from '../adapters/ec2-recovery';
import { Ec2RootReplacement } from '../adapters/ec2-root';
import { handlerOf } from '../runtime/handler';
import { tearDownDrills } from '../upkeep/teardown';

export const handler = handlerOf('drill-teardown', (environment) => {
  const ec2 = ec2Client(environment.recoveryRegion);
  return { machines: new Ec2Recovery(ec2), roots: new Ec2RootReplacement(ec2) };
}, tearDownDrills);
