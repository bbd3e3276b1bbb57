import { RefusedCall } from '../../../lambda/adapters/errors';
import type { ImageFacts, ImageSpec, LaunchSpec, MachineFacts, MachineStatus, RecoveredVolume, RecoveryMachines, RootReplacement, VolumeSpec } from '../../../lambda/adapters/ports/recovery-machines';
import { matches, type FakeCloud } from './cloud';

interface StoredImage extends ImageFacts {
  readonly spec: ImageSpec;
}

interface StoredMachine {
  readonly instanceId: string;
  readonly spec: LaunchSpec;
  state: string;
  stateReason?: string;
  stateReasonCode?: string;
  since: number;
  /** Put on after its launch. */
  tags?: Readonly<Record<string, string>>;
  volumes: { deviceName: string; volumeId: string }[];
}

/** Machines, images and volumes of the recovery Region. A machine is running 10 s after its launch or start. */
export class FakeMachines implements RecoveryMachines, RootReplacement {
  readonly imageRows = new Map<string, StoredImage>();
  readonly machineRows = new Map<string, StoredMachine>();
  readonly volumeRows = new Map<string, RecoveredVolume & { attachedTo?: string; deleteOnTermination?: boolean }>();
  readonly deregistered: string[] = [];
  /** EC2's two checks. */
  healthy: (instanceId: string) => boolean = () => true;
  readonly baseImages = new Set<string>();
  /** Seconds until RunInstances knows an image. */
  imageLagSeconds = 0;

  constructor(private readonly cloud: FakeCloud) {
    cloud.recovery.inUse = (id) => [...this.imageRows.values()].some(({ spec }) => spec.disks.some(({ snapshotId }) => snapshotId === id));
  }

  registerImage(spec: ImageSpec) {
    return this.cloud.ask('recovery', 'RegisterImage', () => {
      const known = [...this.imageRows.values()].find(({ name }) => name === spec.name);
      if (known !== undefined) return known.imageId;
      for (const { snapshotId } of spec.disks) {
        if (this.cloud.recovery.all().find((snapshot) => snapshot.snapshotId === snapshotId)?.state !== 'completed') throw new RefusedCall('RegisterImage', 'not-found', 'InvalidSnapshot.NotFound', snapshotId);
      }
      const imageId = this.cloud.nextId('ami');
      this.imageRows.set(imageId, { imageId, name: spec.name, state: 'available', createdAt: this.cloud.clock.now(), tags: { ...spec.tags }, spec });
      return imageId;
    });
  }

  images(tagKey: string, values: readonly string[]) {
    return this.cloud.ask('recovery', 'DescribeImages', () => [...this.imageRows.values()].filter(({ tags }) => values.includes(tags[tagKey] ?? '')));
  }

  deregisterImage(imageId: string) {
    return this.cloud.ask('recovery', 'DeregisterImage', () => {
      this.deregistered.push(imageId);
      return this.imageRows.delete(imageId) ? 'removed' as const : 'absent' as const;
    });
  }

  launch(spec: LaunchSpec) {
    return this.cloud.ask('recovery', 'RunInstances', () => {
      const known = [...this.machineRows.values()].find((machine) => machine.spec.clientToken === spec.clientToken);
      if (known !== undefined) {
        if (JSON.stringify(known.spec) !== JSON.stringify(spec)) throw new RefusedCall('RunInstances', 'invalid', 'IdempotentParameterMismatch', spec.clientToken);
        return this.facts(known);
      }
      const image = this.imageRows.get(spec.imageId);
      const isUnknown = image !== undefined && this.ms() < Date.parse(image.createdAt) + this.imageLagSeconds * 1000;
      if (isUnknown || image === undefined && !this.baseImages.has(spec.imageId)) throw new RefusedCall('RunInstances', 'not-found', 'InvalidAMIID.NotFound', spec.imageId);
      const instanceId = this.cloud.nextId('i');
      const disks = [...(image?.spec.disks ?? [{ deviceName: '/dev/xvda', snapshotId: 'snap-base' }]), ...spec.disks];
      const volumes = disks.map(({ deviceName, snapshotId }) => ({ deviceName, volumeId: this.addVolume(snapshotId, spec.tags, instanceId) }));
      const machine: StoredMachine = { instanceId, spec, state: 'pending', since: this.ms(), volumes };
      this.machineRows.set(instanceId, machine);
      return this.facts(machine);
    });
  }

  machines(ids: readonly string[]) {
    return this.cloud.ask('recovery', 'DescribeInstances', () => ids.flatMap((id) => this.machineRows.get(id) ?? []).map((machine) => this.facts(machine)));
  }

  machinesWithTags(tags: Readonly<Record<string, string>>) {
    return this.cloud.ask('recovery', 'DescribeInstances', () => this.alive().filter((machine) => matches(machine.tags, tags)));
  }

  statuses(ids: readonly string[]) {
    return this.cloud.ask('recovery', 'DescribeInstanceStatus', (): MachineStatus[] => ids.map((instanceId) => ({
      instanceId, ok: this.healthy(instanceId), detail: this.healthy(instanceId) ? 'ok' : 'instance initializing, system ok, running',
    })));
  }

  terminate(ids: readonly string[]) {
    return this.cloud.ask('recovery', 'TerminateInstances', () => {
      for (const id of ids) this.end(id, 'Client.UserInitiatedShutdown', 'User initiated');
    });
  }

  end(id: string, code: string, reason: string): void {
    const machine = this.machineRows.get(id);
    if (machine !== undefined) Object.assign(machine, { state: 'terminated', stateReasonCode: code, stateReason: reason });
  }

  alive(): MachineFacts[] {
    return [...this.machineRows.values()].map((machine) => this.facts(machine)).filter(({ state }) => state !== 'terminated');
  }

  stop(instanceId: string) {
    return this.become(instanceId, 'StopInstances', 'stopped');
  }

  start(instanceId: string) {
    return this.become(instanceId, 'StartInstances', 'pending');
  }

  volumesWithTags(tags: Readonly<Record<string, string>>) {
    return this.cloud.ask('recovery', 'DescribeVolumes', () => [...this.volumeRows.values()].filter((volume) => matches(volume.tags, tags)));
  }

  createVolume({ disk, tags, clientToken }: VolumeSpec) {
    return this.cloud.ask('recovery', 'CreateVolume', () => {
      const known = [...this.volumeRows.values()].find((volume) => volume.tags.token === clientToken);
      return known?.volumeId ?? this.addVolume(disk.snapshotId, { ...tags, token: clientToken });
    });
  }

  detach(volumeId: string, instanceId: string) {
    return this.cloud.ask('recovery', 'DetachVolume', () => {
      const machine = this.machineRows.get(instanceId);
      const volume = this.volumeRows.get(volumeId);
      if (machine?.state !== 'stopped' || volume === undefined) throw new RefusedCall('DetachVolume', 'not-ready', 'IncorrectState', volumeId);
      machine.volumes = machine.volumes.filter((each) => each.volumeId !== volumeId);
      this.volumeRows.set(volumeId, { ...volume, state: 'available', attachedTo: undefined });
    });
  }

  attach(volumeId: string, instanceId: string, deviceName: string) {
    return this.cloud.ask('recovery', 'AttachVolume', () => {
      const machine = this.machineRows.get(instanceId);
      const volume = this.volumeRows.get(volumeId);
      if (machine?.state !== 'stopped' || volume?.state !== 'available') throw new RefusedCall('AttachVolume', 'not-ready', 'IncorrectState', volumeId);
      machine.volumes = [...machine.volumes, { deviceName, volumeId }];
      this.volumeRows.set(volumeId, { ...volume, state: 'in-use', attachedTo: instanceId });
    });
  }

  setDeleteOnTermination(instanceId: string, deviceName: string, value: boolean) {
    return this.cloud.ask('recovery', 'ModifyInstanceAttribute', () => {
      const id = this.machineRows.get(instanceId)?.volumes.find((volume) => volume.deviceName === deviceName)?.volumeId ?? '';
      const volume = this.volumeRows.get(id);
      if (volume !== undefined) this.volumeRows.set(id, { ...volume, deleteOnTermination: value });
    });
  }

  readonly userData = new Map<string, string>();

  setUserData(instanceId: string, userData: string) {
    return this.cloud.ask('recovery', 'ModifyInstanceAttribute', () => {
      this.userData.set(instanceId, userData);
    });
  }

  deleteVolume(volumeId: string) {
    return this.cloud.ask('recovery', 'DeleteVolume', () => {
      if (this.volumeRows.get(volumeId)?.state === 'in-use') return 'in-use' as const;
      return this.volumeRows.delete(volumeId) ? 'removed' as const : 'absent' as const;
    });
  }

  tag(resourceIds: readonly string[], tags: Readonly<Record<string, string>>) {
    return this.cloud.ask('recovery', 'CreateTags', () => {
      for (const id of resourceIds) {
        const machine = this.machineRows.get(id);
        const volume = this.volumeRows.get(id);
        if (machine !== undefined) machine.tags = { ...machine.tags, ...tags };
        if (volume !== undefined) Object.assign(volume.tags, tags);
      }
    });
  }

  private become(instanceId: string, operation: string, state: string) {
    return this.cloud.ask('recovery', operation, () => {
      const machine = this.machineRows.get(instanceId);
      if (machine !== undefined) Object.assign(machine, { state, since: this.ms() });
    });
  }

  private addVolume(snapshotId: string, tags: Readonly<Record<string, string>>, attachedTo?: string): string {
    const volumeId = this.cloud.nextId('vol');
    this.volumeRows.set(volumeId, { volumeId, snapshotId, state: attachedTo === undefined ? 'available' : 'in-use', tags: { ...tags }, attachedTo });
    return volumeId;
  }

  private facts(machine: StoredMachine): MachineFacts {
    if (machine.state === 'pending' && this.ms() >= machine.since + 10_000) machine.state = 'running';
    const { instanceId, state, stateReason, stateReasonCode, spec, volumes, tags } = machine;
    return { instanceId, state, stateReason, stateReasonCode, privateIp: spec.privateIp ?? '10.9.9.9', availabilityZone: 'us-west-2a', rootDeviceName: '/dev/xvda', volumes: [...volumes], tags: { ...spec.tags, ...tags } };
  }

  private ms(): number {
    return Date.parse(this.cloud.clock.now());
  }
}
