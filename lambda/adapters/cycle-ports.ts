import type { CyclePorts } from '../cycle/cycle';
import type { Environment } from '../runtime/env';
import { dynamoCatalogue } from './catalogue';
import { ec2Client } from './ec2-common';
import { Ec2RecoverySnapshots, Ec2SourceSnapshots } from './ec2-snapshots';

/** What the steps of the cycle that handle snapshots share. */
export function cyclePorts(environment: Environment): CyclePorts {
  return {
    ...dynamoCatalogue(environment),
    source: new Ec2SourceSnapshots(ec2Client(environment.sourceRegion)),
    recovery: new Ec2RecoverySnapshots(ec2Client(environment.recoveryRegion)),
  };
}
