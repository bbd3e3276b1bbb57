import { dynamoCatalogue } from '../adapters/catalogue';
import { ec2Client } from '../adapters/ec2-common';
import { Ec2Recovery } from '../adapters/ec2-recovery';
import { Ec2RootReplacement } from '../adapters/ec2-root';
import { atSite, eachSite } from '../adapters/sites';
import { launchWave } from '../run/launch';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-launch', (environment) => eachSite(environment, (region) => {
  const ec2 = ec2Client(region);
  return { ...dynamoCatalogue(environment), machines: new Ec2Recovery(ec2), roots: new Ec2RootReplacement(ec2) };
}), atSite(launchWave));
