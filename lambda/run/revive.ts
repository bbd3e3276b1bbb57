import type { RunMember, RunRecord } from '../core/model';
import { Tag } from '../core/tags';
import type { RunStore } from '../adapters/ports/catalogue';
import type { MachineFacts, RecoveryMachines } from '../adapters/ports/recovery-machines';
import { eachOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';

export interface RevivePorts {
  readonly runs: RunStore;
  readonly machines: Pick<RecoveryMachines, 'machines' | 'machinesWithTags'>;
}

/** EC2 shows a machine some moments after its launch, and an ended one for about an hour: not shown after this time, it is gone. */
const VISIBLE_SECONDS = 600;
const DEAD: ReadonlySet<string> = new Set(['terminated', 'shutting-down']);

/**
 * Takes every member of a run that another execution left to where it can go on, and counts its time anew. What EC2 shows
 * decides, not the record alone: a machine that was launched and not recorded is taken over instead of launched again, one
 * that is gone is launched again.
 */
export async function revive(record: RunRecord, ports: RevivePorts, tools: Tools): Promise<void> {
  const { runId } = record;
  const [steps, members, alive] = await Promise.all([
    ports.runs.steps(runId), ports.runs.runMembers(runId), ports.machines.machinesWithTags({ [Tag.PROJECT]: record.project, [Tag.RUN]: runId }),
  ]);
  const seen = new Set(alive.map(({ instanceId }) => instanceId));
  const missing = members.flatMap(({ instanceId }) => instanceId === undefined || seen.has(instanceId) ? [] : [instanceId]);
  const others = missing.length === 0 ? [] : await ports.machines.machines(missing);
  const known = [...alive, ...others.filter(({ state }) => !DEAD.has(state))];
  const dead = new Set(others.filter(({ state }) => DEAD.has(state)).map(({ instanceId }) => instanceId));
  const changed = new Set<string>();
  await eachOf(members, async (member) => {
    const machine = known.find(({ instanceId }) => instanceId === member.instanceId) ?? known.find(({ tags }) => tags[Tag.MEMBER] === member.memberId);
    const next = revived(member, machine, dead, tools);
    if (next === member) return;
    changed.add(`wave-${member.wave}/launch`).add(`wave-${member.wave}/check`);
    await ports.runs.saveRunMember(next, member);
  });
  await eachOf(steps.filter(({ name, outcome }) => name.startsWith('wave-') && (outcome !== 'SUCCEEDED' || changed.has(name))), ({ name, startedAt }) => ports.runs.endStep({
    runId, name, startedAt: tools.now(), detail: `resumed; first begun at ${startedAt}`,
  }));
}

function revived(member: RunMember, machine: MachineFacts | undefined, dead: ReadonlySet<string>, tools: Tools): RunMember {
  if (machine !== undefined) {
    if (member.status === 'PASSED' && member.instanceId === machine.instanceId) return member;
    return { ...fresh(member), imageId: member.imageId, status: 'LAUNCHED', instanceId: machine.instanceId, launchedAt: tools.now() };
  }
  if (member.instanceId === undefined) {
    if (member.status === 'PLANNED') return member;
    // The image may have been deregistered with the end of the run. What was not refused may have been launched: its token,
    // and with it the attempt, stays the same.
    return { ...fresh(member), status: 'PLANNED', attempt: member.status === 'FAILED' ? member.attempt + 1 : member.attempt };
  }
  const secondsAgo = (Date.parse(tools.now()) - Date.parse(member.launchedAt ?? '')) / 1000;
  if (!dead.has(member.instanceId) && secondsAgo < VISIBLE_SECONDS) {
    return { ...fresh(member), status: 'LAUNCHED', instanceId: member.instanceId, launchedAt: member.launchedAt };
  }
  return { ...fresh(member), status: 'PLANNED', attempt: member.attempt + 1 };
}

/** Without what a former execution has come to. */
function fresh(member: RunMember): RunMember {
  const {
    error: _error, tried: _tried, unreserved: _unreserved, imageId: _image, instanceId: _instance, actualPrivateIp: _ip,
    launchedAt: _launched, runningAt: _running, passedAt: _passed, ...rest
  } = member;
  return rest;
}
