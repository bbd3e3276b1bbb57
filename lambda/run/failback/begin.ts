import type { BeginRunInput, BeginRunPorts } from '../begin';
import { InvalidRequest, type RunRef } from '../run';
import type { ValidRequest } from '../request';
import type { Tools } from '../../runtime/tools';

/** Refuses where the recovery side is not the newer one, and takes the lease. */
export function beginFailback(input: BeginRunInput, _request: ValidRequest, _ports: BeginRunPorts, _tools: Tools): Promise<RunRef> {
  throw new InvalidRequest(`Project ${input.config.project} declares no failback. Give it \`failback: Failback.toSource()\` and deploy its stack.`);
}
