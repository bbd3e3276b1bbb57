import { denyPolicy, MOST_MACHINES_IN_POLICY, type FenceActionConfig } from '../core/fencing';
import { isRefused } from '../adapters/errors';
import { refusedAll, type FenceSetting } from './actions';
import type { OpenFence } from './book';

/** Takes from each role what the old machines may do with it, and reads back that the policy is there. */
export async function revokeSessions(action: Extract<FenceActionConfig, { kind: 'revoke-sessions' }>, open: readonly OpenFence[], setting: FenceSetting): Promise<void> {
  const { book } = setting;
  const byRole = new Map<string, OpenFence[]>();
  for (const each of open) {
    const { roleArn } = each.target;
    if (roleArn === undefined) await book.settle(each, 'fenced', 'the machine has no role');
    else if (!action.roleArns.includes(roleArn)) await book.settle(each, 'failed', `its role ${roleArn} is not one that Fencing.revokeSessions names`);
    else byRole.set(roleArn, [...byRole.get(roleArn) ?? [], each]);
  }
  for (const [roleArn, some] of byRole) await revokeRole(roleArn, action.policyName, some, setting);
}

async function revokeRole(roleArn: string, policyName: string, open: readonly OpenFence[], { work, book, ports }: FenceSetting): Promise<void> {
  const roleName = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  // The time of the intent, so that a repeated step writes the same policy.
  const issuedBefore = open.map(({ record }) => record.startedAt).sort()[0] ?? work.since;
  const machines = work.targets.filter((target) => target.roleArn === roleArn).map((target) => machineArn(roleArn, work.sourceRegion, target.instanceId));
  const named = machines.length <= MOST_MACHINES_IN_POLICY ? machines : [];
  const document = denyPolicy(issuedBefore, named);
  try {
    if (!same(await ports.roles.policy(roleName, policyName), document)) {
      await work.confirm();
      await ports.roles.putPolicy(roleName, policyName, document);
      for (const { target } of open) book.acted.add(target.memberId);
      if (!same(await ports.roles.policy(roleName, policyName), document)) return;
    }
    const note = named.length === machines.length ? '' : `; ${machines.length} machines are too many to be named, so new sessions are not denied`;
    await book.settleAll(open, 'fenced', `sessions of ${roleName} issued before ${issuedBefore} are denied${note}`);
  } catch (error) {
    if (!isRefused(error)) throw error;
    await refusedAll(open, error, book);
  }
}

/** IAM may order what it keeps otherwise than it was sent. */
function same(stored: string | undefined, document: string): boolean {
  if (stored === undefined) return false;
  try {
    return canonical(JSON.parse(stored)) === canonical(JSON.parse(document));
  } catch {
    return false;
  }
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return value.length === 1 ? canonical(value[0]) : `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => `${name}:${canonical(each)}`).join()}}`;
}

function machineArn(roleArn: string, region: string, instanceId: string): string {
  const [, partition = 'aws', , , account = ''] = roleArn.split(':');
  return `arn:${partition}:ec2:${region}:${account}:instance/${instanceId}`;
}
