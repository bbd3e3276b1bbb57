import { Construct } from 'constructs';
import type { RepairConfig } from '../../lambda/core/config';
import type { ProjectContext } from '../functions/context';
import { LONG, MEMORY_MIB } from '../functions/cycle-functions';
import { runSwapIn } from '../functions/permissions/repair';
import { WorkflowFunction } from '../functions/workflow-function';
import type { Repair } from './repair';

export interface ProjectRepairProps {
  readonly context: ProjectContext;
  readonly repair: Repair;
}

/** What a project needs to repair machines in the source Region. @internal */
export class ProjectRepair extends Construct {
  readonly swapIn: WorkflowFunction;

  constructor(scope: Construct, id: string, private readonly props: ProjectRepairProps) {
    super(scope, id);
    const { context } = props;
    this.swapIn = new WorkflowFunction(this, 'SwapIn', {
      context, handler: 'run-swap-in', description: 'gives new machines the addresses and registrations of those they replace', timeout: LONG, memoryMiB: MEMORY_MIB, permissions: runSwapIn(context),
    });
  }

  toConfig(): { readonly repair: RepairConfig } {
    return { repair: { subnets: [], endpoints: {}, keepReplacedSeconds: this.props.repair._keepSeconds } };
  }
}
