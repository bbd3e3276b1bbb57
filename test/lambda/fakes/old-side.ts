import { RefusedCall } from '../../../lambda/adapters/errors';
import type { OldMachine, RolePolicies, SourceFence } from '../../../lambda/adapters/ports/source-fence';
import { matches, type FakeCloud } from './cloud';

interface OldState {
  state: string;
  stoppingSince?: number;
  groups: string[];
  /** Of its last start; that of the instance where it was never started again. */
  launchTime?: string;
  /** Its system hangs: only force ends it. */
  hangs?: boolean;
}

const STOP_SECONDS = 12;

/** The source Region's machines as fencing sees them. A machine is stopped some seconds after it was asked. */
export class FakeOldSide implements SourceFence, RolePolicies {
  readonly states = new Map<string, OldState>();
  readonly policies = new Map<string, string>();

  constructor(private readonly cloud: FakeCloud) {}

  of(instanceId: string): OldState {
    const state = this.states.get(instanceId) ?? { state: 'running', groups: ['sg-app'] };
    this.states.set(instanceId, state);
    if (state.state === 'stopping' && !state.hangs && this.ms() >= (state.stoppingSince ?? 0) + STOP_SECONDS * 1000) state.state = 'stopped';
    return state;
  }

  /** Those that may write. */
  running(): string[] {
    return [...this.cloud.instances.keys()].filter((id) => this.of(id).state !== 'stopped');
  }

  machines(ids: readonly string[]) {
    return this.cloud.ask('source', 'DescribeInstances', () => ids.flatMap((id) => this.facts(id)));
  }

  machinesWithTags(tags: Readonly<Record<string, string>>) {
    return this.cloud.ask('source', 'DescribeInstances', () => [...this.cloud.instances.keys()].flatMap((id) => this.facts(id)).filter((machine) => matches(machine.tags, tags)));
  }

  stop(ids: readonly string[], force: boolean) {
    return this.cloud.ask('source', 'StopInstances', () => {
      for (const id of ids) {
        if (!this.cloud.instances.has(id)) throw new RefusedCall('StopInstances', 'not-found', 'InvalidInstanceID.NotFound', id);
        const state = this.of(id);
        if (state.state === 'stopped') continue;
        if (force) state.hangs = false;
        if (state.state !== 'stopping') Object.assign(state, { state: 'stopping', stoppingSince: this.ms() });
      }
    });
  }

  /** Somebody, or a run, starts it. */
  start(instanceId: string): void {
    Object.assign(this.of(instanceId), { state: 'running', launchTime: this.cloud.clock.now() });
  }

  setSecurityGroups(instanceId: string, groupIds: readonly string[]) {
    return this.cloud.ask('source', 'ModifyInstanceAttribute', () => void (this.of(instanceId).groups = [...groupIds]));
  }

  policy(roleName: string, policyName: string) {
    return this.cloud.ask('source', 'GetRolePolicy', () => this.policies.get(`${roleName}/${policyName}`));
  }

  putPolicy(roleName: string, policyName: string, document: string) {
    return this.cloud.ask('source', 'PutRolePolicy', () => void this.policies.set(`${roleName}/${policyName}`, document));
  }

  deletePolicy(roleName: string, policyName: string) {
    return this.cloud.ask('source', 'DeleteRolePolicy', () => void this.policies.delete(`${roleName}/${policyName}`));
  }

  private facts(id: string): OldMachine[] {
    const instance = this.cloud.instances.get(id);
    if (instance === undefined) return [];
    const { state, groups, launchTime = instance.launchTime } = this.of(id);
    return [{ instanceId: id, state, securityGroupIds: [...groups], launchTime, tags: instance.tags }];
  }

  private ms(): number {
    return Date.parse(this.cloud.clock.now());
  }
}
