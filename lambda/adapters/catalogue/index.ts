import type { Direction } from '../../core/direction';
import type { Environment } from '../../runtime/env';
import type { CycleStore, MemberStore, PointStore, RunStore } from '../ports/catalogue';
import type { CutoverStore } from '../ports/cutover';
import type { FenceStore, LeaseStore } from '../ports/lease';
import type { VerificationStore } from '../ports/snapshot-blocks';
import { DynamoCutovers } from './cutovers';
import { DynamoCycle } from './cycle';
import { DynamoFences } from './fences';
import { DynamoLease } from './lease';
import { DynamoMembers } from './members';
import { DynamoPoints } from './points';
import { DynamoRuns } from './runs';
import { documentClient, Table } from './table';
import { DynamoVerifications } from './verifications';

/** The parts of the catalogue, over one client. */
export interface CatalogueParts {
  readonly members: MemberStore;
  readonly points: PointStore;
  readonly cycles: CycleStore;
  readonly runs: RunStore;
  readonly cutovers: CutoverStore;
  readonly leases: LeaseStore;
  readonly fences: FenceStore;
  readonly verifications: VerificationStore;
}

/** Members, points and cycles of each direction are kept apart; runs, cutovers, leases and fences are the project's. */
export function dynamoCatalogue({ recoveryRegion, table: name }: Environment, direction: Direction = 'forward'): CatalogueParts {
  const prefix = direction === 'return' ? 'RETURN#' : '';
  const table = new Table(documentClient(recoveryRegion), name);
  return {
    members: new DynamoMembers(table, prefix), points: new DynamoPoints(table, prefix), cycles: new DynamoCycle(table, prefix),
    runs: new DynamoRuns(table), cutovers: new DynamoCutovers(table),
    leases: new DynamoLease(table), fences: new DynamoFences(table), verifications: new DynamoVerifications(table),
  };
}
