import { Construct } from 'constructs';
import type { ProjectContext } from './context';
import { FLEET_MEMORY_MIB, LONG, MEMORY_MIB } from './cycle-functions';
import * as permissions from './permissions/upkeep';
import { WorkflowFunction } from './workflow-function';

/** Functions that clean up by tags, whatever became of the workflow that left something. */
export class UpkeepFunctions extends Construct {
  readonly drillTeardown: WorkflowFunction;
  readonly sweep: WorkflowFunction;

  constructor(scope: Construct, id: string, context: ProjectContext) {
    super(scope, id);
    this.drillTeardown = new WorkflowFunction(this, 'DrillTeardown', {
      context, handler: 'drill-teardown', description: 'removes what drills launched, by their time limit',
      timeout: LONG, memoryMiB: MEMORY_MIB, permissions: permissions.drillTeardown(context),
    });
    this.sweep = new WorkflowFunction(this, 'Sweep', {
      context, handler: 'sweep', description: 'removes what belongs to no recovery point or run',
      timeout: LONG, memoryMiB: FLEET_MEMORY_MIB, permissions: permissions.sweep(context),
    });
  }
}
