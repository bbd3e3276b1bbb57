import type { Environment } from '../../runtime/env';
import type { CycleStore, MemberStore, PointStore, RunStore } from '../ports/catalogue';
import type { CutoverStore } from '../ports/cutover';
import type { FenceStore, LeaseStore } from '../ports/lease';
import { DynamoCutovers } from './cutovers';
import { DynamoCycle } from './cycle';
import { DynamoFences } from './fences';
import { DynamoLease } from './lease';
import { DynamoMembers } from './members';
import { DynamoPoints } from './points';
import { DynamoRuns } from './runs';
import { documentClient, Table } from './table';

/** The parts of the catalogue, over one client. */
export interface CatalogueParts {
  readonly members: MemberStore;
  readonly points: PointStore;
  readonly cycles: CycleStore;
  readonly runs: RunStore;
  readonly cutovers: CutoverStore;
  readonly leases: LeaseStore;
  readonly fences: FenceStore;
}

export function dynamoCatalogue({ recoveryRegion, table: name }: Environment): CatalogueParts {
  const table = new Table(documentClient(recoveryRegion), name);
  return {
    members: new DynamoMembers(table), points: new DynamoPoints(table), cycles: new DynamoCycle(table), runs: new DynamoRuns(table), cutovers: new DynamoCutovers(table),
    leases: new DynamoLease(table), fences: new DynamoFences(table),
  };
}
