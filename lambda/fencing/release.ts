import type { FenceActionConfig, FenceRecord } from '../core/fencing';
import { isRefused } from '../adapters/errors';
import type { FenceTarget } from './book';
import { askReleased, type FencePorts, type FenceWork } from './actions';
import type { Tools } from '../runtime/tools';

export type ReleaseWork = Pick<FenceWork, 'fencing' | 'project' | 'sourceRegion' | 'runId' | 'epoch' | 'targets' | 'confirm'> & {
  /** What the failovers have done to these machines. */
  readonly records: readonly FenceRecord[];
};

/** What was called now and is to be looked at again. */
export type Releasing = readonly string[];

/**
 * Undoes what fencing did to machines that shall work again, last action first: they get their security groups back, roles
 * their power, and the project's own functions are asked. What was stopped stays so: its launch starts it. Empty when all
 * of it was seen to be undone.
 */
export async function releaseOldSide(work: ReleaseWork, ports: FencePorts, tools: Tools): Promise<Releasing> {
  const open: string[] = [];
  for (const action of [...work.fencing.actions].reverse()) open.push(...await release(action, work, ports, tools));
  return open;
}

function release(action: FenceActionConfig, work: ReleaseWork, ports: FencePorts, tools: Tools): Promise<Releasing> {
  switch (action.kind) {
    case 'stop': return Promise.resolve([]);
    case 'isolate': return restoreGroups(action.securityGroupId, work, ports);
    case 'revoke-sessions': return restoreRoles(action.roleArns, action.policyName, work, ports);
    case 'lambda': return askReleased(action, work, ports, tools);
  }
}

/** A machine that has other groups than the one it was isolated with was changed by somebody, and stays as it is. */
async function restoreGroups(isolation: string, { targets, records, confirm }: ReleaseWork, { source }: FencePorts): Promise<Releasing> {
  // The oldest record has the groups from before; a later one may have found the machine isolated already.
  const before = new Map([...records].sort((a, b) => b.startedAt.localeCompare(a.startedAt)).flatMap(({ memberId, action, before: groups }) => (
    action === 'isolate' && groups !== undefined ? [[memberId, groups] as const] : [])));
  const machines = await source.machines(targets.map(({ instanceId }) => instanceId));
  const called: string[] = [];
  for (const { memberId, instanceId } of targets) {
    const groups = before.get(memberId)?.filter((group) => group !== isolation) ?? [];
    const machine = machines.find((each) => each.instanceId === instanceId);
    const isolated = machine?.securityGroupIds.length === 1 && machine.securityGroupIds[0] === isolation;
    if (machine === undefined || machine.state === 'terminated' || !isolated || groups.length === 0) continue;
    await confirm();
    await source.setSecurityGroups(instanceId, groups);
    called.push(`${memberId}: security groups`);
  }
  return called;
}

async function restoreRoles(roleArns: readonly string[], policyName: string, { targets, confirm }: ReleaseWork, { roles }: FencePorts): Promise<Releasing> {
  const called: string[] = [];
  for (const roleName of rolesOf(roleArns, targets)) {
    if (await roles.policy(roleName, policyName) === undefined) continue;
    await confirm();
    try {
      await roles.deletePolicy(roleName, policyName);
    } catch (error) {
      if (!isRefused(error, 'not-found')) throw error;
    }
    called.push(`role ${roleName}`);
  }
  return called;
}

function rolesOf(roleArns: readonly string[], targets: readonly FenceTarget[]): string[] {
  const used = targets.flatMap(({ roleArn }) => (roleArn !== undefined && roleArns.includes(roleArn) ? [roleArn] : []));
  return [...new Set(used.map((arn) => arn.slice(arn.lastIndexOf('/') + 1)))].sort();
}
