import type { CheckConfig, RunConfig, WaveConfig } from '../core/config';
import { StaleEpoch } from '../core/lease';
import type { RunMember, RunMode, RunRecord } from '../core/model';
import { Tag } from '../core/tags';
import { slowdown } from '../core/waits';
import type { RunStore } from '../adapters/ports/catalogue';
import type { Tools } from '../runtime/tools';

/** The run that a step belongs to, as `beginRun` answered it. */
export interface RunRef {
  readonly runId: string;
  readonly mode: RunMode;
  /** Under which the run changes things; 0 for a drill, which has none. */
  readonly epoch?: number;
  /** Indexes of the waves that have members. */
  readonly waves: readonly number[];
}

export interface WaveInput {
  readonly config: RunConfig;
  readonly run: RunRef;
  readonly wave: number;
}

export interface StepResult {
  readonly done: boolean;
  readonly waitSeconds: number;
}

export const DONE: StepResult = { done: true, waitSeconds: 0 };

/** The run cannot begin as asked; the message says what to change. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest';
}

/** A step of the run failed for good. The name is what the state machine shows. */
export class RunFailed extends Error {
  constructor(override readonly name: 'LaunchFailed' | 'CheckFailed' | 'HookFailed' | 'CutoverFailed' | 'NothingToRecover' | 'FenceFailed' | 'SyncFailed' | 'DrainFailed', message: string) {
    super(message);
  }
}

/** What is checked where nothing was configured: that EC2 itself holds the machine for healthy. */
const DEFAULT_CHECK: CheckConfig = { name: 'instance-status', kind: 'instance-status', timeoutSeconds: 900 };

/** Endpoints that no wave names come in a last wave, which has no configuration of its own. */
export function waveConfig(config: RunConfig, wave: number): WaveConfig {
  return config.waves[wave] ?? { endpoints: [], before: [], after: [], checks: [DEFAULT_CHECK] };
}

export async function runRecord(runs: RunStore, runId: string): Promise<RunRecord> {
  const record = await runs.run(runId);
  if (record === undefined) throw new InvalidRequest(`There is no run ${runId}.`);
  return record;
}

export async function membersOfWave(runs: RunStore, runId: string, wave: number): Promise<RunMember[]> {
  return (await runs.runMembers(runId)).filter((member) => member.wave === wave);
}

/** By these what a run has made is found again, and by the expiry it is removed after a drill. */
export function runTags(record: RunRecord, member: Pick<RunMember, 'memberId' | 'endpoint'>): Record<string, string> {
  return {
    [Tag.PROJECT]: record.project,
    [Tag.ENDPOINT]: member.endpoint,
    [Tag.MEMBER]: member.memberId,
    [Tag.RUN]: record.runId,
    [Tag.MODE]: record.mode,
    ...(record.epoch === undefined ? {} : { [Tag.EPOCH]: String(record.epoch) }),
    ...(record.expiresAt === undefined ? {} : { [Tag.EXPIRES_AT]: String(Math.floor(Date.parse(record.expiresAt) / 1000)) }),
  };
}

/** Stores the changed member and answers it. */
export async function saved(runs: RunStore, read: RunMember, change: Partial<RunMember>): Promise<RunMember> {
  const next = { ...read, ...change };
  await runs.saveRunMember(next, read);
  return next;
}

/** Runs a step between its two marks in the catalogue: begun once, ended when it is done or has failed. */
export async function timed(
  name: string, input: Pick<WaveInput, 'run'>, runs: RunStore, tools: Tools, work: () => Promise<StepResult & { readonly detail?: string }>,
): Promise<StepResult> {
  const step = await runs.beginStep({ runId: input.run.runId, name, startedAt: tools.now() });
  try {
    const { detail, ...result } = await work();
    if (result.done && step.outcome !== 'SUCCEEDED') {
      await runs.endStep({ ...step, endedAt: tools.now(), outcome: 'SUCCEEDED', detail });
    }
    if (result.done) return result;
    // What goes on for long is looked at less often: a run's history is limited.
    return { ...result, waitSeconds: Math.round(result.waitSeconds * slowdown((Date.parse(tools.now()) - Date.parse(step.startedAt)) / 1000)) };
  } catch (error) {
    if (error instanceof RunFailed || error instanceof StaleEpoch) await runs.endStep({ ...step, endedAt: tools.now(), outcome: 'FAILED', detail: error.message });
    throw error;
  }
}

/** Named in messages: all when they are few. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(', ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}
