import type { EndpointConfig } from './config';
import type { OldSide } from './lease';

/** What keeps the machines of the old side from writing. With several, each of them must hold for each machine. */
export type FenceActionConfig =
  | { readonly kind: 'stop'; readonly forceAfterSeconds: number }
  | { readonly kind: 'isolate'; readonly securityGroupId: string }
  | { readonly kind: 'revoke-sessions'; readonly roleArns: readonly string[]; readonly policyName: string }
  | { readonly kind: 'lambda'; readonly name: string; readonly target: string; readonly parameters?: Readonly<Record<string, unknown>>; readonly timeoutSeconds: number };

/**
 * What a failover does when the old side cannot be reached. `accept`: it goes on, and the policy is named in the evidence.
 * `on-request`: it goes on only if the request names who accepts that. `refuse`: it ends, whoever asks.
 */
export type WhenUnreachable = 'accept' | 'on-request' | 'refuse';

export interface FencingConfig {
  /** In this order. Empty: the project declares that nothing needs to be fenced. */
  readonly actions: readonly FenceActionConfig[];
  readonly whenUnreachable: WhenUnreachable;
  /** After so long without verification an action has failed. */
  readonly timeoutSeconds: number;
  /** Where the machines of the old side are found, those that came after the last cycle included. */
  readonly endpoints: readonly EndpointConfig[];
}

export type FenceOutcome = 'fenced' | 'unreachable' | 'failed';

/** One action on one machine, begun before its call. */
export interface FenceRecord {
  readonly runId: string;
  readonly memberId: string;
  /** `stop`, `isolate`, `revoke-sessions` or the name of a function. */
  readonly action: string;
  readonly startedAt: string;
  /** Absent while it is neither verified nor given up. */
  readonly outcome?: FenceOutcome;
  /** When it was seen to hold. */
  readonly verifiedAt?: string;
  readonly detail: string;
  readonly forcedAt?: string;
  /** What has to be put back when the machine shall work again: its security groups. */
  readonly before?: readonly string[];
}

/** What comes of fencing for the run: it may go on, with what it knows of the old side, or it must not. */
export type FencingVerdict =
  | { readonly goOn: true; readonly oldSide: OldSide; readonly acceptedBy?: string }
  | { readonly goOn: false; readonly reason: string };

const NAMED = 10;

/**
 * A machine that is not fenced may write. That the Region does not answer can be accepted by policy; that an action failed,
 * though the Region answers, only by a person.
 * @param acceptedBy who accepts, as the request says
 */
export function judgeFencing(config: FencingConfig | undefined, records: readonly FenceRecord[], acceptedBy: string | undefined): FencingVerdict {
  if (config === undefined || config.actions.length === 0) return { goOn: true, oldSide: 'unfenced', acceptedBy: 'the project, which declares no fencing' };
  const open = records.filter(({ outcome }) => outcome !== 'fenced');
  if (open.length === 0) return { goOn: true, oldSide: 'fenced' };
  const failed = open.some(({ outcome }) => outcome !== 'unreachable');
  const shown = open.slice(0, NAMED).map(({ memberId, action, detail }) => `${memberId} (${action}): ${detail}`).join('; ');
  const what = `Not known to be fenced: ${shown}${open.length > NAMED ? `; and ${open.length - NAMED} more` : ''}.`;
  if (config.whenUnreachable === 'refuse') {
    return { goOn: false, reason: `${what} The project's policy is to end the run then: fence the old side by other means, and resume the run once it is.` };
  }
  if (acceptedBy !== undefined) return { goOn: true, oldSide: 'unreachable', acceptedBy };
  if (config.whenUnreachable === 'accept' && !failed) return { goOn: true, oldSide: 'unreachable', acceptedBy: 'policy: UnreachablePolicy.accept()' };
  return {
    goOn: false,
    reason: `${what} Make sure that the old side cannot write, then resume with the same runId and "acceptUnreachable": "<who accepts it>".`,
  };
}

export function fenceActionName(action: FenceActionConfig): string {
  return action.kind === 'lambda' ? action.name : action.kind;
}

/**
 * The policy that takes a role's power from the old machines: sessions issued before now, and all that come from the old
 * machines ever after, since a machine that runs on would get a new session of the same role.
 */
export function denyPolicy(issuedBefore: string, machineArns: readonly string[]): string {
  const deny = { Effect: 'Deny', Action: '*', Resource: '*' };
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Sid: 'OldSessions', ...deny, Condition: { DateLessThan: { 'aws:TokenIssueTime': issuedBefore } } },
      ...(machineArns.length === 0 ? [] : [{ Sid: 'OldMachines', ...deny, Condition: { ArnEquals: { 'ec2:SourceInstanceARN': [...machineArns].sort() } } }]),
    ],
  });
}

/** All inline policies of a role together may have 10,240 characters: so many machines are named at most. */
export const MOST_MACHINES_IN_POLICY = 80;

export interface EpochMachine {
  readonly instanceId: string;
  readonly memberId: string;
  readonly runId: string;
  /** 0 for a machine that was launched before there were epochs. */
  readonly epoch: number;
}

/** Of each member the machines of its newest epoch. */
export function newestOf<T extends Pick<EpochMachine, 'memberId' | 'epoch'>>(machines: readonly T[]): T[] {
  const newest = new Map<string, number>();
  for (const { memberId, epoch } of machines) newest.set(memberId, Math.max(epoch, newest.get(memberId) ?? 0));
  return machines.filter(({ memberId, epoch }) => epoch === newest.get(memberId));
}

/** Machines that a newer machine of the same member has taken the place of. */
export function superseded<T extends EpochMachine>(machines: readonly T[]): T[] {
  const newest = new Set(newestOf(machines));
  return machines.filter((machine) => !newest.has(machine));
}
