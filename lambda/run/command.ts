import { createHash } from 'node:crypto';
import { isRefused, messageOf } from '../adapters/errors';
import type { HookRecord } from '../adapters/ports/catalogue';
import type { CommandResult, Commands } from '../adapters/ports/services';
import { chunks } from '../runtime/pool';

/** SendCommand takes at most 50 instance ids. */
const INSTANCES_PER_COMMAND = 50;

export interface CommandTask {
  readonly document: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly instanceIds: readonly string[];
  readonly timeoutSeconds: number;
  /** The same whenever this task is repeated. */
  readonly idempotencyKey: string;
}

export interface CommandState {
  /** To be stored before the next look. */
  readonly commandIds: readonly string[];
  readonly results: readonly CommandResult[];
  readonly state: 'running' | 'succeeded' | 'failed';
  readonly detail: string;
}

/** Sends a document to the machines, once, and says how far it is. A command that was sent and not recorded is found by its comment. */
export async function commandState(record: HookRecord, task: CommandTask, commands: Commands): Promise<CommandState> {
  if (task.instanceIds.length === 0) return { commandIds: [], results: [], state: 'failed', detail: 'there is no machine to run it on' };
  let { commandIds } = record;
  if (commandIds === undefined) {
    try {
      commandIds = await sent(record, task, commands);
    } catch (error) {
      // The SSM agent of a machine that has just started has not registered yet.
      if (isRefused(error, 'not-ready', 'throttled', 'unreachable')) return { commandIds: [], results: [], state: 'running', detail: messageOf(error) };
      throw error;
    }
  }
  const results: CommandResult[] = [];
  for (const id of commandIds) results.push(...await commands.results(id));
  const failed = results.filter(({ state }) => state === 'failed');
  if (failed.length > 0) return { commandIds, results, state: 'failed', detail: failed.map(({ instanceId, detail }) => `${instanceId}: ${detail}`).join(', ') };
  const succeeded = results.filter(({ state }) => state === 'succeeded').length;
  const detail = `${succeeded} of ${task.instanceIds.length} machines`;
  return { commandIds, results, state: succeeded >= task.instanceIds.length ? 'succeeded' : 'running', detail };
}

async function sent(record: HookRecord, task: CommandTask, commands: Commands): Promise<string[]> {
  const parts = chunks(task.instanceIds, INSTANCES_PER_COMMAND).map((instanceIds, index) => ({ instanceIds, comment: commentOf(task, index) }));
  const ids: string[] = [];
  for (const { instanceIds, comment } of parts) {
    const [known] = await commands.sentAs(comment, task.document, record.startedAt);
    ids.push(known ?? await commands.send({
      document: task.document, parameters: listsOf(task.parameters), instanceIds, timeoutSeconds: task.timeoutSeconds, comment,
    }));
  }
  return ids;
}

/** SSM allows 100 characters. */
function commentOf({ idempotencyKey }: CommandTask, part: number): string {
  return `disaster-recovery ${createHash('sha256').update(`${idempotencyKey}#${part}`).digest('hex').slice(0, 40)}`;
}

/** A document's parameters are lists of strings. */
function listsOf(parameters: Readonly<Record<string, unknown>>): Record<string, string[]> {
  const text = (value: unknown): string => typeof value === 'string' ? value : JSON.stringify(value);
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, Array.isArray(value) ? value.map(text) : [text(value)]]));
}
