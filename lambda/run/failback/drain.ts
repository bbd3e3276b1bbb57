import type { RunConfig } from '../../core/config';
import type { RunStore } from '../../adapters/ports/catalogue';
import type { Tools } from '../../runtime/tools';
import { DONE, type RunRef, type StepResult } from '../run';

export interface DrainInput {
  readonly config: RunConfig;
  readonly run: RunRef;
  /** `drain`: the recovered machines stop. `switch`: the source side becomes the active one. `reopen`: the recovered machines start again. */
  readonly phase: 'drain' | 'switch' | 'reopen';
}

export interface DrainPorts {
  readonly runs: RunStore;
}

export function drain(_input: DrainInput, _ports: DrainPorts, _tools: Tools): Promise<StepResult> {
  return Promise.resolve(DONE);
}
