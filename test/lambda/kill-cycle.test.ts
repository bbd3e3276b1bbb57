import { Tag } from '../../lambda/core/tags';
import { isWhole } from '../../lambda/core/point-state';
import type { SnapshotFacts } from '../../lambda/adapters/ports/snapshots';
import { World, cycleConfig, type KillPlan } from './fakes/world';

// Hundreds of cycles or runs each.
jest.setTimeout(180_000);

/** Small enough a quota that copying takes several turns, a retention so short that the killed cycle prunes. */
const config = cycleConfig({ retention: { kind: 'last', count: 1 }, sourceRetention: { kind: 'last', count: 1 } });

async function prepared(lagSeconds = 0): Promise<World> {
  const world = new World({ snapshotSeconds: 20, copySeconds: 30, copyLimit: 4, lagSeconds });
  await world.cycle(config);
  world.clock.advance(300);
  world.calls = 0;
  return world;
}

/** What must hold whenever a cycle has ended, however it came there. */
function assertWhole(world: World): void {
  const copies = new Map(world.cloud.recovery.all().map((copy) => [copy.snapshotId, copy]));
  for (const point of world.catalogue.points().filter(({ state }) => state === 'COMPLETE')) {
    expect(isWhole(point)).toBe(true);
    const instants = new Set<string>();
    for (const volume of point.volumes) {
      expect(copies.get(volume.recoverySnapshotId ?? '')).toMatchObject({ state: 'completed', tags: { [Tag.POINT]: point.pointId } });
      instants.add(world.cloud.source.all().find(({ snapshotId }) => snapshotId === volume.sourceSnapshotId)?.description ?? '');
    }
    // All disks are of the same CreateSnapshots call: a mixture would show two instants.
    expect(instants.size).toBe(1);
  }
  expect(world.catalogue.lock).toBeUndefined();
}

/** Nothing exists that no record names, and of each disk of a point one snapshot on each side. */
function assertNoOrphans(world: World): void {
  const recorded = new Set(world.catalogue.points().filter(({ cleanedAt }) => cleanedAt === undefined)
    .flatMap(({ volumes }) => volumes.flatMap((volume) => [volume.sourceSnapshotId, volume.recoverySnapshotId])));
  const unknown = (all: SnapshotFacts[]) => all.map(({ snapshotId }) => snapshotId).filter((id) => !recorded.has(id));
  expect(unknown(world.cloud.source.all())).toEqual([]);
  expect(unknown(world.cloud.recovery.all())).toEqual([]);
}

async function killAndRecover(plan: KillPlan, lagSeconds: number): Promise<World> {
  const world = await prepared(lagSeconds);
  const sets = world.cloud.count('source', 'CreateSnapshots');
  const summary = await world.cycle(config, plan);
  if (plan.then === 'retry-step') {
    expect(summary).toMatchObject({ status: 'SUCCEEDED', open: 0, failed: 0 });
    // No set is made twice, even when EC2 does not show it at once.
    expect(world.cloud.count('source', 'CreateSnapshots') - sets).toBe(3);
    // With reads that see everything a copy is not made twice either: there is nothing for the sweeper.
    if (lagSeconds === 0) assertNoOrphans(world);
  } else {
    world.clock.advance(300);
    await world.cycle(config);
  }
  assertWhole(world);
  // The next cycles clean up what was given up; the sweeper what nobody knows of.
  world.clock.advance(3600);
  await world.cycle(config);
  world.clock.advance(3700);
  await world.sweep();
  assertNoOrphans(world);
  assertWhole(world);
  return world;
}

async function callsOfACycle(lagSeconds: number): Promise<number> {
  const world = await prepared(lagSeconds);
  await world.cycle(config);
  return world.calls;
}

describe.each([
  { then: 'retry-step', lagSeconds: 0 },
  { then: 'new-execution', lagSeconds: 0 },
  { then: 'retry-step', lagSeconds: 8 },
  { then: 'new-execution', lagSeconds: 8 },
] as const)('killed at any call of a cycle, then $then, EC2 reads lag $lagSeconds s', ({ then, lagSeconds }) => {
  test.each(['before', 'after'] as const)('%s the call', async (when) => {
    const calls = await callsOfACycle(lagSeconds);
    expect(calls).toBeGreaterThan(50);
    for (let call = 1; call <= calls; call += 1) {
      try {
        await killAndRecover({ at: { call, when }, then }, lagSeconds);
      } catch (error) {
        throw new Error(`killed ${when} call ${call} of ${calls}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
  });
});

test('the catalogue alone names what exists after a cycle that nobody disturbed', async () => {
  const world = await prepared();
  await world.cycle(config);
  assertWhole(world);
  assertNoOrphans(world);
  expect(await world.sweep()).toMatchObject({ snapshots: 0, images: 0, problems: [] });
});
