import { launchConfigFor } from '../core/launch-plan';
import { nextAttempt, withoutReservation, type LaunchFailure } from '../core/launch-retry';
import type { RunMember, RunRecord } from '../core/model';
import { Tag } from '../core/tags';
import { isRefused, messageOf, type RefusedCall } from '../adapters/errors';
import type { RunStore } from '../adapters/ports/catalogue';
import type { LeaseStore } from '../adapters/ports/lease';
import type { MachineFacts, RecoveryMachines, RootReplacement } from '../adapters/ports/recovery-machines';
import { eachOf } from '../runtime/pool';
import { pace, type Tools } from '../runtime/tools';
import { imageSpec, launchSpec, reservationOf } from './launch-spec';
import { confirmEpoch } from './lease';
import { replaceRoot } from './replace-root';
import { swapDisks, type SwapState } from './swap-disks';
import { listed, membersOfWave, RunFailed, runRecord, saved, timed, type StepResult, type WaveInput } from './run';

export interface LaunchPorts {
  readonly runs: RunStore;
  readonly leases: LeaseStore;
  readonly machines: RecoveryMachines;
  readonly roots: RootReplacement;
}

const WAIT_SECONDS = 5;
/** After so long without its machine running a member has failed. */
const LAUNCH_LIMIT_SECONDS = 1800;
/** Types, zones and addresses that one call of the step tries for one machine. */
const ATTEMPTS_PER_CALL = 20;
/** Moves of swapping a machine's disks that one call of the step waits for. */
const SWAP_MOVES = 10;

/** Launches the machines of a wave, as far as each has not got there yet. */
export async function launchWave(input: WaveInput, ports: LaunchPorts, tools: Tools): Promise<StepResult> {
  return timed(`wave-${input.wave}/launch`, input, ports.runs, tools, async () => {
    await confirmEpoch(input.run, ports.leases);
    const step = new LaunchStep(input, ports, tools, await runRecord(ports.runs, input.run.runId));
    return step.run();
  });
}

class LaunchStep {
  private readonly turn: () => Promise<void>;
  private readonly delays = new Map<string, string>();

  constructor(
    private readonly input: WaveInput, private readonly ports: LaunchPorts, private readonly tools: Tools, private readonly record: RunRecord,
  ) {
    this.turn = pace(input.config.launchesPerSecond, tools);
  }

  async run(): Promise<StepResult & { detail?: string }> {
    const { runId } = this.input.run;
    let members = await membersOfWave(this.ports.runs, runId, this.input.wave);
    members = await this.advance(members, (member) => this.launch(member));
    const launched = members.filter(({ status }) => status === 'LAUNCHED');
    const facts = new Map((await this.describe(launched)).map((machine) => [machine.instanceId, machine]));
    members = await this.advance(members, (member) => this.follow(member, facts.get(member.instanceId ?? '')));
    members = await this.advance(members, (member) => this.giveUp(member));
    const pending = members.filter(({ status }) => !ENDED.has(status));
    if (pending.length > 0) return { done: false, waitSeconds: WAIT_SECONDS };
    await removeImages(this.record, members, this.ports.machines);
    const failed = members.filter(({ status }) => status === 'FAILED');
    if (failed.length > 0) {
      throw new RunFailed('LaunchFailed', `Wave ${this.input.wave + 1}: ${listed(failed.map(({ memberId, error }) => `${memberId}: ${error ?? 'no reason given'}`))}`);
    }
    return { done: true, waitSeconds: 0, detail: `${members.length} machines` };
  }

  private async advance(members: readonly RunMember[], change: (member: RunMember) => Promise<RunMember>): Promise<RunMember[]> {
    const next = new Map(members.map((member) => [member.memberId, member]));
    await eachOf(members, async (member) => {
      if (!this.tools.deadline.near()) next.set(member.memberId, await change(member));
    });
    return [...next.values()];
  }

  private describe(members: readonly RunMember[]): Promise<MachineFacts[]> {
    const ids = members.flatMap(({ instanceId }) => instanceId ?? []);
    return ids.length === 0 ? Promise.resolve([]) : this.ports.machines.machines(ids);
  }

  /** From planned to launched; each stage is stored before the next. */
  private async launch(planned: RunMember): Promise<RunMember> {
    let member = planned;
    // There is a machine already: what is left to be done is done while it is followed.
    if (member.launchMethod === 'swapped-disks') return member.status === 'PLANNED' ? this.found(member) : member;
    try {
      if (member.status === 'PLANNED') {
        const imageId = await this.imageOf(member);
        // Another image than before: EC2 refuses a known token with other parameters.
        const isOther = member.imageId !== undefined && member.imageId !== imageId;
        member = await this.save(member, { status: 'IMAGE_READY', imageId, attempt: isOther ? member.attempt + 1 : member.attempt });
      }
      for (let tries = 0; member.status === 'IMAGE_READY' && tries < ATTEMPTS_PER_CALL; tries += 1) {
        await this.turn();
        member = await this.tryLaunch(member);
      }
      return member;
    } catch (error) {
      return isRefused(error) && lacksImage(error) ? this.unregistered(member, error) : this.refused(member, error);
    }
  }

  private found(member: RunMember): Promise<RunMember> {
    const instanceId = member.memberId.slice(member.memberId.lastIndexOf('/') + 1);
    return this.save(member, { status: 'LAUNCHED', instanceId, launchedAt: this.tools.now() });
  }

  /**
   * EC2 does not know an image yet that it has just registered, or no longer: registering it by its name once more answers
   * the same image or makes it again. A base image is not ours: without it nothing helps.
   */
  private async unregistered(member: RunMember, error: RefusedCall): Promise<RunMember> {
    if (member.launchMethod !== 'registered-image' || member.status !== 'IMAGE_READY') return this.refused(member, error);
    this.delays.set(member.memberId, error.message);
    return this.save(member, { status: 'PLANNED' });
  }

  private async imageOf(member: RunMember): Promise<string> {
    if (member.launchMethod === 'registered-image') return this.ports.machines.registerImage(imageSpec(member, this.record));
    return launchConfigFor(this.input.config, member.endpoint).baseImageId ?? '';
  }

  private async tryLaunch(member: RunMember): Promise<RunMember> {
    await confirmEpoch(this.input.run, this.ports.leases);
    try {
      const machine = await this.ports.machines.launch(launchSpec(member, member.imageId ?? '', this.record, this.input.config));
      this.tools.log.info('Launched', { run: this.record.runId, member: member.memberId, instance: machine.instanceId, type: member.instanceType });
      return await this.save(member, { status: 'LAUNCHED', instanceId: machine.instanceId, launchedAt: this.tools.now() });
    } catch (error) {
      if (isRefused(error) && this.blamesReservation(member, error)) return this.unreserved(member, error.code, error.message);
      if (!isRefused(error, 'capacity', 'address-in-use', 'subnet-full')) throw error;
      return this.otherwise(member, error.kind as LaunchFailure, messageOf(error));
    }
  }

  /** A reservation that does not fit is refused in many ways, also as no permission: all but those that have another cause. */
  private blamesReservation(member: RunMember, error: RefusedCall): boolean {
    return this.isReserved(member) && !isTransient(error) && !lacksImage(error) && !isRefused(error, 'address-in-use', 'subnet-full');
  }

  private isReserved(member: RunMember): boolean {
    const { capacityReservationId, capacityReservationGroupArn } = reservationOf(member, this.input.config, this.record.mode);
    return capacityReservationId !== undefined || capacityReservationGroupArn !== undefined;
  }

  private unreserved(member: RunMember, code: string, reason: string): Promise<RunMember> {
    this.tools.log.warn('Launching without the reservation', { run: this.record.runId, member: member.memberId, reason });
    return this.save(member, { ...withoutReservation(member, code), status: 'IMAGE_READY', instanceId: undefined, launchedAt: undefined });
  }

  /** With another type, in another zone or with another address, as far as there is one. */
  private async otherwise(member: RunMember, failure: LaunchFailure, reason: string): Promise<RunMember> {
    const attempt = nextAttempt(member, failure, this.input.config, this.record.mode);
    if (attempt === undefined) return this.save(member, { status: 'FAILED', error: reason });
    this.tools.log.warn('Launching otherwise', { run: this.record.runId, member: member.memberId, reason, note: attempt.notes.at(-1) });
    return this.save(member, { ...attempt, status: 'IMAGE_READY', instanceId: undefined, launchedAt: undefined });
  }

  private async refused(member: RunMember, error: unknown): Promise<RunMember> {
    if (!isRefused(error)) throw error;
    this.delays.set(member.memberId, error.message);
    if (isTransient(error)) {
      this.tools.log.warn('Launch delayed', { run: this.record.runId, member: member.memberId, reason: error.message });
      return member;
    }
    return this.save(member, { status: 'FAILED', error: error.message });
  }

  /** From launched to running. EC2 may not show a machine at once. */
  private async follow(member: RunMember, machine: MachineFacts | undefined): Promise<RunMember> {
    if (member.status !== 'LAUNCHED' || machine === undefined) return member;
    if (machine.state === 'terminated' || machine.state === 'shutting-down') {
      const reason = `${machine.instanceId} was terminated: ${machine.stateReason ?? machine.stateReasonCode ?? 'EC2 gives no reason'}`;
      if (machine.stateReasonCode?.includes('InsufficientInstanceCapacity') === true) {
        return this.isReserved(member) ? this.unreserved(member, machine.stateReasonCode, reason) : this.otherwise(member, 'capacity', reason);
      }
      return this.save(member, { status: 'FAILED', error: reason });
    }
    if (member.launchMethod === 'swapped-disks') return this.swap(member, machine);
    if (member.launchMethod === 'replaced-root') {
      await confirmEpoch(this.input.run, this.ports.leases);
      try {
        if (!await replaceRoot(member, machine, this.record, this.input.config, this.ports.roots)) return member;
      } catch (error) {
        return this.refused(member, error);
      }
    } else if (machine.state === 'stopped') {
      return this.save(member, { status: 'FAILED', error: `${machine.instanceId} stopped: ${machine.stateReason ?? 'EC2 gives no reason'}` });
    } else if (machine.state !== 'running') return member;
    return this.running(member, machine);
  }

  private running(member: RunMember, machine: MachineFacts): Promise<RunMember> {
    this.tools.log.info('Running', { run: this.record.runId, member: member.memberId, instance: machine.instanceId });
    return this.save(member, { status: 'RUNNING', runningAt: this.tools.now(), actualPrivateIp: machine.privateIp });
  }

  /** Each move takes EC2 a moment, and nobody is served meanwhile: a few of them in one call. */
  private async swap(read: RunMember, found: MachineFacts): Promise<RunMember> {
    let member = read;
    let machine: MachineFacts | undefined = found;
    try {
      for (let moves = 0; machine !== undefined && moves < SWAP_MOVES && !this.tools.deadline.near(); moves += 1) {
        const state: SwapState = await swapDisks(member, machine, {
          record: this.record, config: this.input.config, roots: this.ports.roots, tools: this.tools,
          confirm: () => confirmEpoch(this.input.run, this.ports.leases),
          keep: async (keptVolumes) => { member = await this.save(member, { keptVolumes }); return member; },
        });
        if (state.kind === 'running') return await this.running(member, machine);
        if (state.kind === 'failed') return await this.save(member, { status: 'FAILED', error: state.reason });
        await this.tools.sleep(1);
        [machine] = await this.describe([member]);
      }
      return member;
    } catch (error) {
      return this.refused(member, error);
    }
  }

  private async giveUp(member: RunMember): Promise<RunMember> {
    if (ENDED.has(member.status)) return member;
    const step = (await this.startOf()) ?? this.tools.now();
    const since = member.launchedAt ?? step;
    const seconds = (Date.parse(this.tools.now()) - Date.parse(since)) / 1000;
    if (seconds < LAUNCH_LIMIT_SECONDS) return member;
    const reason = this.delays.get(member.memberId);
    return this.save(member, { status: 'FAILED', error: `not running after ${Math.round(seconds)} s${reason === undefined ? '' : `: ${reason}`}` });
  }

  private begun: Promise<string | undefined> | undefined;

  private startOf(): Promise<string | undefined> {
    this.begun ??= this.ports.runs.steps(this.record.runId).then((steps) => steps.find(({ name }) => name === `wave-${this.input.wave}/launch`)?.startedAt);
    return this.begun;
  }

  private save(member: RunMember, change: Partial<RunMember>): Promise<RunMember> {
    return saved(this.ports.runs, member, change);
  }
}

const ENDED: ReadonlySet<RunMember['status']> = new Set(['RUNNING', 'PASSED', 'FAILED']);

/** The same call may succeed a moment later. */
function isTransient(error: RefusedCall): boolean {
  return NOT_SHOWN_YET.has(error.code) || isRefused(error, 'quota', 'throttled', 'not-ready', 'unreachable', 'in-use');
}

/** EC2's reads lag: what one call has made, the next may not find. The step names only what it has seen or made itself. */
const NOT_SHOWN_YET: ReadonlySet<string> = new Set(['InvalidVolume.NotFound', 'InvalidInstanceID.NotFound']);

function lacksImage(error: RefusedCall): boolean {
  return error.code === 'InvalidAMIID.NotFound' || error.code === 'InvalidAMIID.Unavailable';
}

/** A machine that runs does not need its image, and while there is one its snapshots cannot be deleted. */
export async function removeImages(record: RunRecord, members: readonly RunMember[], machines: Pick<RecoveryMachines, 'images' | 'deregisterImage'>): Promise<void> {
  const over = new Set(members.filter(({ status }) => ENDED.has(status)).map(({ memberId }) => memberId));
  const images = await machines.images(Tag.RUN, [record.runId]);
  await eachOf(images.filter(({ tags }) => over.has(tags[Tag.MEMBER] ?? '')), async ({ imageId }) => {
    await machines.deregisterImage(imageId);
  });
}
