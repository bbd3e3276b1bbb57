import { byDirection, eachDirection, wayOf } from '../adapters/cycle-ports';
import { ec2Client } from '../adapters/ec2-common';
import { Ec2Source } from '../adapters/ec2-source';
import { IamInstanceProfiles } from '../adapters/iam';
import { discover } from '../cycle/discover';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('cycle-discover', (environment) => {
  const profiles = new IamInstanceProfiles(environment.recoveryRegion);
  return eachDirection((direction) => {
    const { from, catalogue } = wayOf(environment, direction);
    return { ...catalogue, machines: new Ec2Source(ec2Client(from)), profiles };
  });
}, byDirection(discover));
