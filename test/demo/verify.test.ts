import { BLOCK_BYTES, DiskImage } from '../../demo/disks/disk-image';
import { WrittenDisk } from '../../demo/disks/written-disk';
import { NotEqualError, proveMachine } from '../../demo/verify';
import type { Machine } from '../../demo/workload';

/** A machine of two disks whose writes alternate, and what its disks hold after each write. */
async function machine(): Promise<{ machine: Machine; stateAt: (sequence: number) => Map<string, Map<number, Buffer>> }> {
  const disks = ['/dev/xvda', '/dev/sdf'].map((deviceName) => ({ deviceName, volumeId: `vol-${deviceName}`, image: DiskImage.empty(), written: new WrittenDisk() }));
  const subject: Machine = { instanceId: 'i-source', name: 'db', disks, sequence: 0, writtenAt: [] };
  const states = new Map<number, Map<string, Map<number, Buffer>>>();
  const now = new Map(disks.map((disk) => [disk.deviceName, new Map<number, Buffer>()]));
  for (let round = 0; round < 3; round++) {
    for (const disk of disks) {
      const before = round === 0 ? new DiskImage(Buffer.alloc(disk.image.bytes.length)) : disk.image.clone();
      await disk.image.writeFiles({ '/data/orders.json': Buffer.alloc(700_000, round + 1) });
      for (let index = 0; index < disk.image.blockCount; index++) {
        if (disk.image.block(index).equals(before.block(index))) continue;
        subject.sequence += 1;
        subject.writtenAt.push(new Date());
        disk.written.record(subject.sequence, index, disk.image.block(index));
        now.get(disk.deviceName)!.set(index, Buffer.from(disk.image.block(index)));
        states.set(subject.sequence, new Map([...now].map(([name, blocks]) => [name, new Map(blocks)])));
      }
    }
  }
  return { machine: subject, stateAt: (sequence) => states.get(sequence)! };
}

describe('proveMachine', () => {
  test('accepts the state after every single write, and says what was lost', async () => {
    const { machine: subject, stateAt } = await machine();
    for (const sequence of [subject.sequence, subject.sequence - 1, Math.floor(subject.sequence / 2)]) {
      const proof = await proveMachine(subject, 'i-recovered', stateAt(sequence));
      expect(proof.upToWrite).toBe(sequence);
      expect(proof.writesLost).toBe(subject.sequence - sequence);
    }
  });

  test('refuses one flipped byte', async () => {
    const { machine: subject, stateAt } = await machine();
    const state = stateAt(subject.sequence);
    const [index, block] = [...state.get('/dev/sdf')!].at(-1)!;
    const flipped = Buffer.from(block);
    flipped[BLOCK_BYTES - 1]! ^= 1;
    state.get('/dev/sdf')!.set(index, flipped);
    await expect(proveMachine(subject, 'i-recovered', state)).rejects.toThrow(NotEqualError);
  });

  test('refuses disks of two instants', async () => {
    const { machine: subject, stateAt } = await machine();
    const half = stateAt(Math.floor(subject.sequence / 2));
    const mixed = new Map([['/dev/xvda', half.get('/dev/xvda')!], ['/dev/sdf', stateAt(subject.sequence).get('/dev/sdf')!]]);
    await expect(proveMachine(subject, 'i-recovered', mixed)).rejects.toThrow('not of one instant');
  });

  test('refuses a missing disk, a lost block and empty disks', async () => {
    const { machine: subject, stateAt } = await machine();
    const full = stateAt(subject.sequence);
    await expect(proveMachine(subject, 'i-recovered', new Map([['/dev/xvda', full.get('/dev/xvda')!]]))).rejects.toThrow('has the disks');
    const holed = new Map(full);
    holed.set('/dev/sdf', new Map([...full.get('/dev/sdf')!].slice(1)));
    await expect(proveMachine(subject, 'i-recovered', holed)).rejects.toThrow(NotEqualError);
    await expect(proveMachine(subject, 'i-recovered', new Map([['/dev/xvda', new Map()], ['/dev/sdf', new Map()]]))).rejects.toThrow('empty');
  });
});
