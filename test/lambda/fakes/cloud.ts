import { RefusedCall, type RefusalKind } from '../../../lambda/adapters/errors';
import type { CopyRequest, RecoverySnapshots, Removal, SnapshotFacts, Snapshots, SnapshotSetRequest, SourceSnapshots, StartedSnapshot } from '../../../lambda/adapters/ports/snapshots';
import type { FoundInstance, InstanceProfiles, SourceMachines, VolumeFacts } from '../../../lambda/adapters/ports/source-machines';
import type { FakeClock } from './clock';

export interface CloudOptions {
  readonly snapshotSeconds: number;
  readonly copySeconds: number;
  readonly copyLimit: number;
  /** Seconds until EC2's reads show what was made. */
  readonly lagSeconds: number;
}

interface StoredSnapshot extends Omit<SnapshotFacts, 'state' | 'stateMessage'> {
  readonly readyAt: number;
  failure?: string;
}

/** Both Regions' snapshots and the source's machines, behaving as EC2 is documented to. */
export class FakeCloud implements SourceMachines, InstanceProfiles {
  readonly instances = new Map<string, FoundInstance>();
  readonly volumeFacts = new Map<string, VolumeFacts>();
  readonly userDataOf = new Map<string, string>();
  readonly calls: { side: string; operation: string }[] = [];
  readonly source: FakeSourceSnapshots;
  readonly recovery: FakeRecoverySnapshots;
  readonly refused = new Set<'source' | 'recovery'>();
  private readonly failures: { side: string; operation: string; error: RefusedCall }[] = [];
  private serial = 0;

  constructor(readonly clock: FakeClock, readonly options: CloudOptions = { snapshotSeconds: 20, copySeconds: 30, copyLimit: 4, lagSeconds: 0 }) {
    this.source = new FakeSourceSnapshots(this, 'source');
    this.recovery = new FakeRecoverySnapshots(this, 'recovery');
  }

  /** The next call of the operation is refused so. */
  failNext(side: 'source' | 'recovery', operation: string, kind: RefusalKind, code: string, times = 1): void {
    for (let i = 0; i < times; i += 1) this.failures.push({ side, operation, error: new RefusedCall(operation, kind, code, 'injected') });
  }

  enter(side: 'source' | 'recovery', operation: string): void {
    this.calls.push({ side, operation });
    if (this.refused.has(side)) throw new RefusedCall(operation, 'unreachable', 'TimeoutError', `the ${side} Region does not answer`);
    const index = this.failures.findIndex((failure) => failure.side === side && failure.operation === operation);
    const [failure] = index < 0 ? [] : this.failures.splice(index, 1);
    if (failure !== undefined) throw failure.error;
  }

  count(side: string, operation: string): number {
    return this.calls.filter((call) => call.side === side && call.operation === operation).length;
  }

  nextId(prefix: string): string {
    this.serial += 1;
    return `${prefix}-${this.serial.toString().padStart(6, '0')}`;
  }

  addInstance(instanceId: string, tags: Record<string, string>, volumes = 2, change: Partial<FoundInstance> = {}): void {
    const attached = Array.from({ length: volumes }, (_, index) => ({
      deviceName: index === 0 ? '/dev/xvda' : `/dev/sd${'fghijklmno'[index - 1] ?? 'z'}`,
      volumeId: `vol-${instanceId}-${index}`,
      deleteOnTermination: index === 0,
    }));
    for (const { volumeId } of attached) this.volumeFacts.set(volumeId, { volumeId, sizeGiB: 8, volumeType: 'gp3', iops: 3000, throughput: 125, encrypted: true, kmsKeyId: 'key' });
    this.instances.set(instanceId, {
      instanceId, instanceType: 'm7g.large', architecture: 'arm64', virtualizationType: 'hvm', rootDeviceName: '/dev/xvda', bootMode: 'uefi',
      platformDetails: 'Linux/UNIX', productCodes: [], privateIp: `10.0.0.${this.instances.size + 10}`, launchTime: '2029-12-31T00:00:00.000Z', tags, volumes: attached, ...change,
    });
  }

  withTags(tags: Readonly<Record<string, string>>) {
    return this.ask('source', 'DescribeInstances', () => [...this.instances.values()].filter((instance) => matches(instance.tags, tags)));
  }

  volumes(ids: readonly string[]) {
    return this.ask('source', 'DescribeVolumes', () => ids.flatMap((id) => this.volumeFacts.get(id) ?? []));
  }

  userData(instanceId: string) {
    return this.ask('source', 'DescribeInstanceAttribute', () => this.userDataOf.get(instanceId));
  }

  uefiData(instanceId: string) {
    return this.ask('source', 'GetInstanceUefiData', () => `uefi-${instanceId}`);
  }

  roleOf(profile: string) {
    return this.ask('source', 'GetInstanceProfile', () => profile.replace('instance-profile', 'role'));
  }

  /** Does the work now; what it answers or throws comes as a promise. */
  ask<T>(side: 'source' | 'recovery', operation: string, work: () => T): Promise<T> {
    try {
      this.enter(side, operation);
      return Promise.resolve(work());
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

export class FakeSnapshots implements Snapshots {
  readonly stored = new Map<string, StoredSnapshot>();
  /** In use by an image. */
  inUse: (snapshotId: string) => boolean = () => false;

  constructor(protected readonly cloud: FakeCloud, protected readonly side: 'source' | 'recovery') {}

  withIds(ids: readonly string[]) {
    return this.cloud.ask(this.side, 'DescribeSnapshots', () => this.visible().filter(({ snapshotId }) => ids.includes(snapshotId)));
  }

  withTag(key: string, values: readonly string[]) {
    return this.cloud.ask(this.side, 'DescribeSnapshots', () => this.visible().filter(({ tags }) => values.includes(tags[key] ?? '')));
  }

  remove(snapshotId: string) {
    return this.cloud.ask(this.side, 'DeleteSnapshot', (): Removal => {
      if (this.inUse(snapshotId)) return 'in-use';
      return this.stored.delete(snapshotId) ? 'removed' : 'absent';
    });
  }

  facts(snapshot: StoredSnapshot): SnapshotFacts {
    const { readyAt, failure, ...rest } = snapshot;
    const state = failure !== undefined ? 'error' : readyAt <= Date.parse(this.cloud.clock.now()) ? 'completed' : 'pending';
    return { ...rest, state, stateMessage: failure };
  }

  all(): SnapshotFacts[] {
    return [...this.stored.values()].map((snapshot) => this.facts(snapshot));
  }

  fail(snapshotId: string, reason: string): void {
    const snapshot = this.stored.get(snapshotId);
    if (snapshot !== undefined) snapshot.failure = reason;
  }

  protected visible(): SnapshotFacts[] {
    const now = Date.parse(this.cloud.clock.now());
    return this.all().filter(({ startTime }) => Date.parse(startTime) + this.cloud.options.lagSeconds * 1000 <= now);
  }

  protected add(volumeId: string, seconds: number, description: string, tags: Readonly<Record<string, string>>): StoredSnapshot {
    const startTime = this.cloud.clock.now();
    const snapshot = { snapshotId: this.cloud.nextId('snap'), volumeId, startTime, sizeGiB: 8, description, tags: { ...tags }, readyAt: Date.parse(startTime) + seconds * 1000 };
    this.stored.set(snapshot.snapshotId, snapshot);
    return snapshot;
  }
}

export class FakeSourceSnapshots extends FakeSnapshots implements SourceSnapshots {
  createSet({ instanceId, description, tags }: SnapshotSetRequest) {
    return this.cloud.ask(this.side, 'CreateSnapshots', (): StartedSnapshot[] => {
      const instance = this.cloud.instances.get(instanceId);
      if (instance === undefined) throw new RefusedCall('CreateSnapshots', 'not-found', 'InvalidInstanceID.NotFound', instanceId);
      return instance.volumes.map(({ volumeId }) => this.add(volumeId, this.cloud.options.snapshotSeconds, description, tags));
    });
  }
}

export class FakeRecoverySnapshots extends FakeSnapshots implements RecoverySnapshots {
  copy({ sourceSnapshotId, description, tags }: CopyRequest) {
    return this.cloud.ask(this.side, 'CopySnapshot', () => {
      const source = this.cloud.source.stored.get(sourceSnapshotId);
      if (source === undefined || this.cloud.refused.has('source')) throw new RefusedCall('CopySnapshot', 'not-found', 'InvalidSnapshot.NotFound', sourceSnapshotId);
      if (this.cloud.source.facts(source).state !== 'completed') throw new RefusedCall('CopySnapshot', 'not-ready', 'IncorrectState', sourceSnapshotId);
      const pending = this.all().filter(({ state }) => state === 'pending').length;
      if (pending >= this.cloud.options.copyLimit) throw new RefusedCall('CopySnapshot', 'quota', 'ResourceLimitExceeded', `${pending} in progress`);
      return this.add('vol-ffffffff', this.cloud.options.copySeconds, description, tags).snapshotId;
    });
  }
}

export function matches(tags: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => tags[key] === value);
}
