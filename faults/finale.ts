import { readInstanceDisks } from '../demo/read-back';
import { proveMachine } from '../demo/verify';
import { Tag } from '../lambda/core/tags';
import type { Row } from './attempt';
import { violations, type World } from './invariants';
import { RECOVERY_REGION, SOURCE_REGION } from './names';
import { CYCLE, FAILOVER, undisturbed } from './phases';
import { pause, type Stage } from './stage';

/** Intents and snapshots younger than this are left alone by the product (`SETTLE_SECONDS`). */
const SETTLED_MS = 62_000;

const LIMIT_SECONDS = 120;

/** After all tries: nothing is left of what failed, and what was protected is still the same, byte for byte. */
export async function finale(stage: Stage, wholly: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  if (wholly) rows.push(await row('nothing is left over', () => leftovers(stage)));
  rows.push(await row('a failover without the source is equal byte for byte', () => byteEquality(stage)));
  return rows;
}

async function row(operation: string, work: () => Promise<string[]>): Promise<Row> {
  const began = Date.now();
  const found = await work().catch((error: unknown) => [error instanceof Error ? error.message : String(error)]);
  return { phase: 'end', operation, fault: 'none', outcome: found.length === 0 ? 'holds' : 'VIOLATION', seconds: (Date.now() - began) / 1000, violations: found };
}

async function leftovers(stage: Stage): Promise<string[]> {
  await pause(SETTLED_MS);
  await undisturbed(stage, CYCLE, 'settle-0');
  const { output } = await undisturbed(stage, CYCLE, 'settle-1');
  await pause(1500);
  await stage.sweep();
  const world = await stage.look();
  const degraded = output.status === 'SUCCEEDED' ? [] : [`a cycle without any fault is ${String(output.status)}: ${JSON.stringify(output.problems)}`];
  return [...degraded, ...violations(world), ...exactly(world)];
}

/** By then every point that has ended is cleaned but those of the last minute, and none is still on its way. */
function exactly({ points, recovery }: World): string[] {
  const open = points.filter(({ state }) => state !== 'COMPLETE' && state !== 'EXPIRED' && state !== 'FAILED');
  const recent = Date.now() - SETTLED_MS;
  const old = points.filter(({ state, cleanedAt, attemptedAt, createdAt }) => (state === 'EXPIRED' || state === 'FAILED') && cleanedAt === undefined && Date.parse(attemptedAt ?? createdAt) < recent);
  const kept = new Set(points.filter(({ cleanedAt }) => cleanedAt === undefined).map(({ pointId }) => pointId));
  return [
    ...open.map(({ pointId, state }) => `left over: recovery point ${pointId} is still ${state}`),
    ...old.map(({ pointId, state }) => `left over: snapshots of recovery point ${pointId}, which is ${state}`),
    ...recovery.filter(({ tags }) => !kept.has(tags[Tag.POINT] ?? '')).map(({ id }) => `left over: snapshot ${id} in the recovery Region`),
  ];
}

async function byteEquality(stage: Stage): Promise<string[]> {
  await stage.reattach();
  await stage.workload.tick();
  await undisturbed(stage, CYCLE, 'last-cycle');
  stage.cloud.faults.refuseRegion(SOURCE_REGION);
  const end = await stage.ended(await FAILOVER.start(stage, 'last-failover', 0), LIMIT_SECONDS);
  stage.cloud.faults.clear();
  const world = await stage.look();
  const missing = FAILOVER.missing(end, world, world, 'last-failover');
  if (missing !== undefined) return [`not recovered: ${missing}`];
  const { machines } = world;
  for (const machine of stage.workload.machines) {
    const twins = machines.filter(({ tags }) => tags[Tag.RUN] === 'last-failover' && tags[Tag.MEMBER]?.endsWith(`/${machine.instanceId}`));
    const [twin] = twins;
    if (twins.length !== 1 || twin === undefined) return [`double launch: ${machine.instanceId} was launched ${twins.length} times`];
    const proof = await proveMachine(machine, twin.id, await readInstanceDisks(stage.cloud, RECOVERY_REGION, twin.id));
    if (proof.writesLost > 0) return [`${proof.writesLost} writes that were made before the last cycle are lost`];
  }
  return [];
}
