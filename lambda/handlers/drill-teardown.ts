import type { UpkeepConfig } from '../core/config';
import { ec2Client } from '../adapters/ec2-common';
import { Ec2Recovery } from '../adapters/ec2-recovery';
import { Ec2RootReplacement } from '../adapters/ec2-root';
import { handlerOf } from '../runtime/handler';
import { tearDown } from '../upkeep/tear-down';

export const handler = handlerOf('drill-teardown', (environment) => {
  const [recovery, source] = [ec2Client(environment.recoveryRegion), ec2Client(environment.sourceRegion)];
  return {
    machines: new Ec2Recovery(recovery), roots: new Ec2RootReplacement(recovery),
    sourceMachines: new Ec2Recovery(source), sourceRoots: new Ec2RootReplacement(source),
  };
}, (input: { readonly config: UpkeepConfig }, ports, tools) => tearDown(input, ports, tools));
