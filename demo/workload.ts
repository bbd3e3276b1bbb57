import { createHash } from 'node:crypto';
import type { Instance } from '@aws-sdk/client-ec2';
import type { LocalCloud } from '../local-cloud';
import { Tag } from '../lambda/core/tags';
import { BLOCK_BYTES, DiskImage } from './disks/disk-image';
import { WrittenDisk } from './disks/written-disk';
import { readInstanceDisks } from './read-back';

/** Bytes that look like data (they do not compress) and are the same in every run. */
function content(seed: string, bytes: number): Buffer {
  const chunks: Buffer[] = [];
  for (let written = 0, n = 0; written < bytes; written += 64, n++) chunks.push(createHash('sha512').update(`${seed}/${n}`).digest());
  return Buffer.concat(chunks).subarray(0, bytes);
}

interface Disk {
  readonly deviceName: string;
  /** Another one after the machine's disks were exchanged. */
  volumeId: string;
  readonly image: DiskImage;
  readonly written: WrittenDisk;
}

/** A machine of the shop, with what its disks held after each write. */
export interface Machine {
  readonly instanceId: string;
  readonly name: string;
  /** Of a recovered machine: the member that it was recovered for. */
  readonly memberId?: string;
  readonly disks: readonly Disk[];
  /** Number of block writes so far, over all its disks. */
  sequence: number;
  /** When each write was done, by its number minus one. */
  readonly writtenAt: Date[];
}

/** The files that a machine's disk starts with, by what the machine is called and the disk's place. */
function initialFiles(machine: string, deviceName: string): Record<string, Buffer> {
  const file = (path: string, bytes: number) => ({ [path]: content(`${machine}${deviceName}${path}`, bytes) });
  return {
    ...file('/etc/machine-id', 32),
    ...file('/srv/app.bin', 900_000),
    ...file('/var/lib/data/base.db', 2_400_000),
    ...file('/var/log/app.log', 40_000),
  };
}

/** Files written after a takeover have names of their own. */
const LATER_TICKS = 1000;

/** What the shop writes at one tick: orders, the log, a part of the data file anew. */
function tickFiles(machine: string, deviceName: string, tick: number): Record<string, Buffer> {
  return {
    [`/var/lib/data/orders-${String(tick).padStart(4, '0')}.json`]: content(`order/${machine}${deviceName}/${tick}`, 12_000),
    '/var/log/app.log': content(`log/${machine}${deviceName}/${tick}`, 40_000 + tick * 700),
  };
}

/** The shop's machines at work: real ext4 file systems behind their volumes, whose files change. */
export class Workload {
  private ticks = 0;
  private running: Promise<void> | undefined;
  private stopping = false;

  private constructor(private readonly cloud: LocalCloud, private readonly region: string, readonly machines: readonly Machine[]) {}

  /** Puts a file system with files behind every disk of `instances`. */
  static async install(cloud: LocalCloud, region: string, instances: readonly Instance[]): Promise<Workload> {
    const machines = instances.map((instance): Machine => ({
      instanceId: instance.InstanceId ?? '',
      name: nameOf(instance),
      disks: disksOf(instance, () => DiskImage.empty()),
      sequence: 0,
      writtenAt: [],
    }));
    const workload = new Workload(cloud, region, machines);
    for (const machine of machines) {
      for (const disk of machine.disks) {
        const blank = new DiskImage(Buffer.alloc(disk.image.bytes.length));
        await disk.image.writeFiles(initialFiles(machine.name, disk.deviceName));
        await workload.flush(machine, disk, blank);
      }
    }
    return workload;
  }

  /**
   * Goes on on machines whose disks hold something already, e.g. recovered ones: what they hold now is where their history
   * of writes begins. The machines must not write by other means.
   */
  static async takeOver(cloud: LocalCloud, region: string, instances: readonly Instance[]): Promise<Workload> {
    const machines: Machine[] = [];
    for (const instance of instances) {
      const instanceId = instance.InstanceId ?? '';
      const contents = await readInstanceDisks(cloud, region, instanceId);
      const machine: Machine = {
        instanceId, name: nameOf(instance), memberId: instance.Tags?.find((tag) => tag.Key === Tag.MEMBER)?.Value, disks: [], sequence: 0, writtenAt: [],
      };
      const disks = disksOf(instance, (deviceName) => imageOf(contents.get(deviceName) ?? new Map<number, Buffer>()));
      for (const { deviceName, written } of disks) {
        for (const [index, bytes] of contents.get(deviceName) ?? []) {
          machine.sequence += 1;
          machine.writtenAt.push(new Date());
          written.record(machine.sequence, index, bytes);
        }
      }
      machines.push({ ...machine, disks });
    }
    const workload = new Workload(cloud, region, machines);
    workload.ticks = LATER_TICKS;
    return workload;
  }

  /** The machines got other disks with the same contents: from now on these are written to. */
  reattached(instances: readonly Instance[]): void {
    for (const machine of this.machines) {
      const mappings = instances.find(({ InstanceId }) => InstanceId === machine.instanceId)?.BlockDeviceMappings ?? [];
      for (const disk of machine.disks) disk.volumeId = mappings.find(({ DeviceName }) => DeviceName === disk.deviceName)?.Ebs?.VolumeId ?? disk.volumeId;
    }
  }

  get diskCount(): number {
    return this.machines.reduce((sum, machine) => sum + machine.disks.length, 0);
  }

  /** Every machine changes files on every disk once. */
  async tick(): Promise<void> {
    const tick = ++this.ticks;
    for (const machine of this.machines) {
      for (const disk of machine.disks) {
        const before = disk.image.clone();
        await disk.image.writeFiles(tickFiles(machine.name, disk.deviceName, tick));
        await this.flush(machine, disk, before);
      }
    }
  }

  /** Goes on changing files until `stop`. */
  start(pauseMs = 400): void {
    this.stopping = false;
    this.running = (async () => {
      while (!this.stopping) {
        await this.tick();
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    })();
    // A failure surfaces at stop(); until then it must not count as unhandled.
    this.running.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    this.running = undefined;
  }

  /** Writes the blocks that changed to the volume, one by one as a disk would get them. */
  private async flush(machine: Machine, disk: Disk, before: DiskImage): Promise<void> {
    for (let index = 0; index < disk.image.blockCount; index++) {
      const bytes = disk.image.block(index);
      if (bytes.equals(before.block(index))) continue;
      await this.cloud.disks.write(this.region, disk.volumeId, index, padded(bytes));
      machine.sequence += 1;
      machine.writtenAt.push(new Date());
      disk.written.record(machine.sequence, index, padded(bytes));
    }
  }
}

function padded(bytes: Buffer): Buffer {
  return bytes.length === BLOCK_BYTES ? bytes : Buffer.concat([bytes, Buffer.alloc(BLOCK_BYTES - bytes.length)]);
}

function nameOf({ Tags }: Instance): string {
  return Tags?.find((tag) => tag.Key === 'Name')?.Value ?? Tags?.find((tag) => tag.Key === Tag.ENDPOINT)?.Value ?? '';
}

function disksOf({ BlockDeviceMappings }: Instance, image: (deviceName: string) => DiskImage): Disk[] {
  return (BlockDeviceMappings ?? []).map(({ DeviceName = '', Ebs }) => ({ deviceName: DeviceName, volumeId: Ebs?.VolumeId ?? '', image: image(DeviceName), written: new WrittenDisk() }));
}

/** Of the size that every disk of the workload starts with. */
function imageOf(blocks: ReadonlyMap<number, Buffer>): DiskImage {
  const bytes = Buffer.alloc(DiskImage.empty().bytes.length);
  for (const [index, block] of blocks) block.copy(bytes, index * BLOCK_BYTES);
  return new DiskImage(bytes);
}
