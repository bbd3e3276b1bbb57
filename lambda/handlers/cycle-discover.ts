import { dynamoCatalogue } from '../adapters/catalogue';
import { ec2Client } from '../adapters/ec2-common';
import { Ec2Source } from '../adapters/ec2-source';
import { IamInstanceProfiles } from '../adapters/iam';
import { discover } from '../cycle/discover';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('cycle-discover', (environment) => ({
  ...dynamoCatalogue(environment),
  machines: new Ec2Source(ec2Client(environment.sourceRegion)),
  profiles: new IamInstanceProfiles(environment.recoveryRegion),
}), discover);
