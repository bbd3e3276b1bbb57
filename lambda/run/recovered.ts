import type { RunRequest } from '../core/model';
import type { RunStore } from '../adapters/ports/catalogue';
import type { LeaseStore } from '../adapters/ports/lease';
import { InvalidRequest, listed } from './run';

/**
 * What a failover has recovered is the newer side: to recover it again from its recovery points would lose all that was
 * written since. It is done only if the request says so.
 */
export async function checkNotRecovered(request: RunRequest, memberIds: readonly string[], { runs, leases }: { runs: RunStore; leases: LeaseStore }): Promise<void> {
  const { active, activeEpoch = 0, activeBy = '', activeSince = '' } = await leases.lease();
  if (active !== 'recovery' || request.again === true) return;
  const recovered = new Set((await runs.runs())
    .filter(({ mode, status, epoch = 0 }) => mode === 'failover' && status === 'SUCCEEDED' && epoch >= activeEpoch)
    .flatMap(({ waves }) => waves.flat()));
  const again = memberIds.filter((id) => recovered.has(id));
  if (again.length === 0) return;
  throw new InvalidRequest(
    `The recovery side is active since run ${activeBy} (${activeSince}), and ${listed(again)} ${again.length === 1 ? 'was' : 'were'} recovered already. `
    + 'To recover again from older data, losing what was written since, add "again": true; machines of the earlier run are stopped first.',
  );
}
