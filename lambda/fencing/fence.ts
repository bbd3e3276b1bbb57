import type { FenceActionConfig, FenceRecord } from '../core/fencing';
import type { Tools } from '../runtime/tools';
import { askFunction, isolateMachines, stopMachines, type FencePorts, type FenceSetting, type FenceWork } from './actions';
import { FenceBook, type OpenFence } from './book';
import { lookAtOldSide } from './old-side';
import { revokeSessions } from './revoke';

export interface FenceState {
  readonly records: readonly FenceRecord[];
  /** Neither verified nor given up: to be looked at again. */
  readonly pending: number;
  /** Machines on which a call was made now: they were not fenced before. */
  readonly acted: readonly string[];
}

/** One look at the old side and one move towards its being fenced. Repeated until nothing is pending; every act is idempotent. */
export async function fenceOldSide(work: FenceWork, ports: FencePorts, tools: Tools): Promise<FenceState> {
  const book = await FenceBook.open(work, ports.fences, tools);
  const view = await lookAtOldSide(work.fencing, work.targets, ports.source);
  const setting: FenceSetting = { work, view, book, ports, tools };
  for (const action of work.fencing.actions) {
    const open = await book.begin(action, view.targets);
    if (open.length > 0 && !tools.deadline.near()) await act(action, open, setting);
  }
  const unsettled = (): FenceRecord[] => book.of(work.fencing.actions, view.targets).filter(({ outcome }) => outcome === undefined);
  const seconds = (Date.parse(tools.now()) - Date.parse(work.since)) / 1000;
  if (seconds >= work.fencing.timeoutSeconds) {
    for (const record of unsettled()) await book.save({ ...record, outcome: 'failed', detail: `not verified after ${Math.round(seconds)} s: ${record.detail}` });
  }
  return { records: book.of(work.fencing.actions, view.targets), pending: unsettled().length, acted: [...book.acted].sort() };
}

function act(action: FenceActionConfig, open: readonly OpenFence[], setting: FenceSetting): Promise<void> {
  switch (action.kind) {
    case 'stop': return stopMachines(action, open, setting);
    case 'isolate': return isolateMachines(action, open, setting);
    case 'revoke-sessions': return revokeSessions(action, open, setting);
    case 'lambda': return askFunction(action, open, setting);
  }
}
