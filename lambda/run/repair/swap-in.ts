import type { RunConfig, SwapInConfig } from '../../core/config';
import type { RunMember } from '../../core/model';
import { isRefused, messageOf } from '../../adapters/errors';
import type { RunStore } from '../../adapters/ports/catalogue';
import type { LeaseStore } from '../../adapters/ports/lease';
import type { SwapInKind, SwapInKinds } from '../../adapters/ports/repair';
import type { Tools } from '../../runtime/tools';
import { confirmEpoch } from '../lease';
import { DONE, RunFailed, timed, type RunRef, type StepResult } from '../run';

export interface SwapInInput {
  readonly config: RunConfig;
  readonly run: RunRef;
}

export interface SwapInPorts {
  readonly runs: RunStore;
  readonly leases: LeaseStore;
  readonly kinds: SwapInKinds;
}

const WAIT_SECONDS = 5;

/** Gives each new machine what the one it replaces had: target groups, addresses, interfaces, records, one after the other. */
export function swapIn(input: SwapInInput, ports: SwapInPorts, tools: Tools): Promise<StepResult> {
  return timed('swap-in', input, ports.runs, tools, async () => {
    await confirmEpoch(input.run, ports.leases);
    const done: string[] = [];
    for (const member of await ports.runs.runMembers(input.run.runId)) {
      const swaps = input.config.repair?.endpoints[member.endpoint]?.swapIn ?? [];
      for (const [index, config] of swaps.entries()) {
        if (tools.deadline.near()) return { done: false, waitSeconds: 1 };
        const detail = await new Swap(member, config, index, input, ports, tools).advance(done);
        if (detail === undefined) return { done: false, waitSeconds: WAIT_SECONDS };
        done.push(detail);
      }
    }
    return { ...DONE, detail: done.length === 0 ? 'nothing is configured to be swapped in' : done.join('; ') };
  });
}

class Swap {
  private readonly name: string;

  constructor(
    private readonly member: RunMember, private readonly config: SwapInConfig, index: number, private readonly input: SwapInInput,
    private readonly ports: SwapInPorts, private readonly tools: Tools,
  ) {
    this.name = `swap-in/${member.memberId}/${index + 1}-${config.kind}`;
  }

  /** What has come of it; undefined while it goes on. */
  async advance(before: readonly string[]): Promise<string | undefined> {
    const { runs, leases } = this.ports;
    const { runId } = this.input.run;
    const step = await runs.beginStep({ runId, name: this.name, startedAt: this.tools.now() });
    if (step.outcome === 'SUCCEEDED') return step.detail ?? this.name;
    const { replaces = '', settings, instanceId = '', actualPrivateIp } = this.member;
    let detail: string;
    try {
      // Which kind takes which configuration, the name of the kind says.
      const verdict = await (this.ports.kinds[this.config.kind] as SwapInKind).advance({
        config: this.config, confirm: () => confirmEpoch(this.input.run, leases),
        old: { instanceId: replaces, ...(settings.privateIp === undefined ? {} : { privateIp: settings.privateIp }) },
        fresh: { instanceId, ...(actualPrivateIp === undefined ? {} : { privateIp: actualPrivateIp }) },
      });
      detail = verdict.detail;
      if (verdict.done) {
        await runs.endStep({ ...step, endedAt: this.tools.now(), outcome: 'SUCCEEDED', detail });
        this.tools.log.info('Swapped in', { run: runId, member: this.member.memberId, kind: this.config.kind, detail });
        return detail;
      }
    } catch (error) {
      if (!isRefused(error)) throw error;
      detail = messageOf(error);
      if (!isRefused(error, 'throttled', 'unreachable', 'not-ready', 'quota', 'in-use')) return this.fail(step.startedAt, detail, before);
    }
    const seconds = (Date.parse(this.tools.now()) - Date.parse(step.startedAt)) / 1000;
    return seconds > this.config.timeoutSeconds ? this.fail(step.startedAt, `not done within ${this.config.timeoutSeconds} s: ${detail}`, before) : undefined;
  }

  /** What was swapped in stays: the old machine is stopped, and nothing leads back to it. A resumed run begins this one anew. */
  private async fail(startedAt: string, reason: string, before: readonly string[]): Promise<never> {
    const { runId } = this.input.run;
    await this.ports.runs.endStep({ runId, name: this.name, startedAt: this.tools.now(), outcome: 'FAILED', endedAt: this.tools.now(), detail: `${reason} (begun at ${startedAt})` });
    throw new RunFailed('SwapInFailed', `${this.member.memberId}, ${this.config.kind}: ${reason}. Done before: ${before.join('; ') || 'nothing'}. Remove the cause, and resume the run.`);
  }
}
