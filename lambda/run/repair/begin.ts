import type { BeginRunInput, BeginRunPorts } from '../begin';
import { InvalidRequest, type RunRef } from '../run';
import type { ValidRequest } from '../request';
import type { Tools } from '../../runtime/tools';

/** Chooses the machines that a new one is to take the place of, and their newest recovery points in the source Region. */
export function beginRepair(input: BeginRunInput, _request: ValidRequest, _ports: BeginRunPorts, _tools: Tools): Promise<RunRef> {
  throw new InvalidRequest(`Project ${input.config.project} declares no repair. Give it \`repair: Repair.inSource()\` and deploy its stack.`);
}
