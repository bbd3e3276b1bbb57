import type { RunConfig } from '../../core/config';
import type { RunStore } from '../../adapters/ports/catalogue';
import type { Tools } from '../../runtime/tools';
import { DONE, type RunRef, type StepResult } from '../run';

export interface SyncInput {
  readonly config: RunConfig;
  readonly run: RunRef;
  /** `first`: while the recovered machines work. `final`: once they are stopped; plans what comes back. */
  readonly phase: 'first' | 'final';
}

export interface SyncPorts {
  readonly runs: RunStore;
}

/** Brings a point of each recovered machine to the source Region: starts return cycles until every machine has a new one. */
export function synchronise(_input: SyncInput, _ports: SyncPorts, _tools: Tools): Promise<StepResult> {
  return Promise.resolve(DONE);
}
