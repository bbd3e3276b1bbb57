import type { FenceActionConfig, FencingConfig } from '../core/fencing';
import { isRefused, messageOf, type RefusedCall } from '../adapters/errors';
import type { FenceStore } from '../adapters/ports/lease';
import type { Functions } from '../adapters/ports/services';
import type { RolePolicies, SourceFence } from '../adapters/ports/source-fence';
import { chunks, eachOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';
import type { FenceBook, FenceTarget, OpenFence } from './book';
import type { OldSideView } from './old-side';

export interface FencePorts {
  readonly fences: FenceStore;
  readonly source: SourceFence;
  readonly roles: RolePolicies;
  readonly functions: Functions;
}

export interface FenceWork {
  readonly fencing: FencingConfig;
  readonly project: string;
  readonly sourceRegion: string;
  readonly runId: string;
  readonly epoch: number;
  readonly targets: readonly FenceTarget[];
  /** What was verified before is looked at again, and time-outs count from here. */
  readonly since: string;
  /** What is seen to hold still is not written again: for a caller that looks every minute. */
  readonly watch?: boolean;
  /** Throws when the right to fence is gone. */
  readonly confirm: () => Promise<void>;
}

/** What an action is given beside its own settings. */
export interface FenceSetting {
  readonly work: FenceWork;
  readonly view: OldSideView;
  readonly book: FenceBook;
  readonly ports: FencePorts;
  readonly tools: Tools;
}

type Of<K extends FenceActionConfig['kind']> = Extract<FenceActionConfig, { kind: K }>;

/** EC2 takes more ids in one call, but refuses all for one. */
const STOP_IDS = 50;
const GONE = new Set(['terminated', 'shutting-down']);

/** Stops what runs; after a while by force, since a system that hangs does not shut itself down. */
export async function stopMachines(action: Of<'stop'>, open: readonly OpenFence[], { work, view, book, ports, tools }: FenceSetting): Promise<void> {
  if (!view.seen) return unseen(open, view, book);
  const calls: Record<'plain' | 'force', OpenFence[]> = { plain: [], force: [] };
  await eachOf(open, async (each) => {
    const state = view.machines.get(each.target.instanceId)?.state;
    if (state === undefined || state === 'terminated') return book.settle(each, 'fenced', 'EC2 does not have the machine any more');
    if (state === 'stopped') return book.settle(each, 'fenced', 'stopped');
    // Begun in an earlier failover or look: the time until force counts from this one.
    const begun = each.record.startedAt > work.since ? each.record.startedAt : work.since;
    const late = (Date.parse(tools.now()) - Date.parse(begun)) / 1000 >= action.forceAfterSeconds;
    if (late && state !== 'shutting-down' && (each.record.forcedAt ?? '') < work.since) calls.force.push(each);
    else if (state === 'running' || state === 'pending') calls.plain.push(each);
    return book.pending(each, { detail: `${state}; to be stopped` });
  });
  for (const [how, some] of Object.entries(calls)) {
    for (const batch of chunks(some, STOP_IDS)) await stopBatch(batch, how === 'force', { work, view, book, ports, tools });
  }
}

async function stopBatch(batch: readonly OpenFence[], force: boolean, { work, book, ports, tools }: FenceSetting): Promise<void> {
  const stop = (some: readonly OpenFence[]): Promise<void> => ports.source.stop(some.map(({ target }) => target.instanceId), force);
  await work.confirm();
  try {
    await stop(batch);
    for (const each of batch) await stopCalled(each, force, book, tools);
  } catch (error) {
    if (!isRefused(error)) throw error;
    if (batch.length === 1 || isRefused(error, 'unreachable', 'throttled')) return refusedAll(batch, error, book);
    for (const each of batch) await stopBatch([each], force, { work, book, ports, tools } as FenceSetting);
  }
}

async function stopCalled({ target, record }: OpenFence, force: boolean, book: FenceBook, tools: Tools): Promise<void> {
  book.acted.add(target.memberId);
  const { outcome: _outcome, verifiedAt: _verified, ...rest } = record;
  await book.save({ ...rest, detail: force ? 'stopping, by force' : 'stopping', ...(force ? { forcedAt: tools.now() } : {}) });
}

/** Gives the machine the one security group that lets nothing through. Its groups before are kept, to be put back one day. */
export async function isolateMachines(action: Of<'isolate'>, open: readonly OpenFence[], { work, view, book, ports }: FenceSetting): Promise<void> {
  if (!view.seen) return unseen(open, view, book);
  await eachOf(open, async (each) => {
    const machine = view.machines.get(each.target.instanceId);
    if (machine === undefined || GONE.has(machine.state)) return book.settle(each, 'fenced', 'EC2 does not have the machine any more');
    const groups = machine.securityGroupIds;
    if (groups.length === 1 && groups[0] === action.securityGroupId) return book.settle(each, 'fenced', `isolated in ${action.securityGroupId}`);
    await work.confirm();
    const { outcome: _outcome, verifiedAt: _verified, ...rest } = each.record;
    const record = await book.save({ ...rest, detail: 'being isolated', before: each.record.before ?? groups });
    try {
      await ports.source.setSecurityGroups(machine.instanceId, [action.securityGroupId]);
      book.acted.add(each.target.memberId);
    } catch (error) {
      if (!isRefused(error)) throw error;
      await refusedAll([{ ...each, record }], error, book);
    }
  });
}

/** One invocation for all machines. It may be repeated after a kill, with the same idempotency key. */
export async function askFunction(action: Of<'lambda'>, open: readonly OpenFence[], { work, book, ports, tools }: FenceSetting): Promise<void> {
  await work.confirm();
  try {
    for (const { target } of open) book.acted.add(target.memberId);
    const { payload, error } = await invoke(action, 'fence', open.map(({ target }) => target), work, ports, tools);
    const answer = payload as { readonly fenced?: unknown; readonly unreachable?: unknown; readonly detail?: unknown } | undefined;
    const detail = error ?? (typeof answer?.detail === 'string' ? answer.detail : `it answered ${JSON.stringify(payload)}`);
    await book.settleAll(open, error === undefined && answer?.fenced === true ? 'fenced' : error === undefined && answer?.unreachable === true ? 'unreachable' : 'failed', detail);
  } catch (error) {
    // The function is in the recovery Region: that it does not answer says nothing of the source.
    if (!isRefused(error)) throw error;
    await book.settleAll(open, 'failed', messageOf(error));
  }
}

/** Asks the function to let the machines work again. It may be repeated after a kill, with the same idempotency key. */
export async function askReleased(action: Of<'lambda'>, work: CallWork, ports: Pick<FencePorts, 'functions'>, tools: Tools): Promise<string[]> {
  await work.confirm();
  const { payload, error } = await invoke(action, 'release', work.targets, work, ports, tools);
  const answer = payload as { readonly released?: unknown; readonly detail?: unknown } | undefined;
  if (error === undefined && answer?.released === true) return [];
  return [`${action.name}: ${error ?? (typeof answer?.detail === 'string' ? answer.detail : `it answered ${JSON.stringify(payload)}, not { released: true }`)}`];
}

type CallWork = Pick<FenceWork, 'project' | 'sourceRegion' | 'runId' | 'epoch' | 'targets' | 'confirm'>;

function invoke(
  action: Of<'lambda'>, act: 'fence' | 'release', targets: readonly FenceTarget[], work: CallWork, ports: Pick<FencePorts, 'functions'>, tools: Tools,
): ReturnType<Functions['invoke']> {
  const budgetMs = Math.min(action.timeoutSeconds * 1000, tools.deadline.remainingMs() - ANSWER_RESERVE_MS);
  return ports.functions.invoke(action.target, {
    ...action.parameters,
    project: work.project,
    runId: work.runId,
    epoch: work.epoch,
    action: action.name,
    act,
    sourceRegion: work.sourceRegion,
    idempotencyKey: `${work.runId}/${act}/${action.name}`,
    machines: targets.map(({ memberId, endpoint, instanceId }) => ({ memberId, endpoint, instanceId })),
  }, budgetMs);
}

const ANSWER_RESERVE_MS = 10_000;

function unseen(open: readonly OpenFence[], view: Extract<OldSideView, { seen: false }>, book: FenceBook): Promise<void> {
  if (view.why === 'busy') return eachOf(open, (each) => book.pending(each, { detail: view.detail }));
  return book.settleAll(open, view.why, view.detail);
}

/** What a refused call means: throttled, it is made again; without an answer, the Region is unreachable. */
export function refusedAll(open: readonly OpenFence[], error: RefusedCall, book: FenceBook): Promise<void> {
  const { kind, message } = error;
  if (kind === 'throttled' || kind === 'not-ready') return eachOf(open, (each) => book.pending(each, { detail: message }));
  return book.settleAll(open, kind === 'unreachable' ? 'unreachable' : 'failed', message);
}
