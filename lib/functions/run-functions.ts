import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { ProjectContext } from './context';
import { FLEET_MEMORY_MIB, LONG, MEMORY_MIB } from './cycle-functions';
import { fence } from './permissions/fence';
import * as permissions from './permissions/run';
import type { Permission } from './permissions/permission';
import { WorkflowFunction } from './workflow-function';

/** What a failback needs beside the functions of every run. */
export interface FailbackFunctions {
  readonly sync: WorkflowFunction;
  readonly drain: WorkflowFunction;
  readonly verify: WorkflowFunction;
}

/** The functions of the recovery run. */
export class RunFunctions extends Construct {
  readonly begin: WorkflowFunction;
  readonly fence: WorkflowFunction;
  readonly hooks: WorkflowFunction;
  readonly launch: WorkflowFunction;
  readonly check: WorkflowFunction;
  readonly cutover: WorkflowFunction;
  readonly finish: WorkflowFunction;

  /** @param places see `permissions.runLaunch` */
  constructor(scope: Construct, id: string, context: ProjectContext, places: readonly string[]) {
    super(scope, id);
    const make = (name: string, handler: string, description: string, timeout: Duration, memoryMiB: number, allowed: Permission[]): WorkflowFunction =>
      new WorkflowFunction(this, name, { context, handler, description, timeout, memoryMiB, permissions: allowed });
    this.begin = make('Begin', 'run-begin', 'chooses recovery points and plans the run', Duration.minutes(5), FLEET_MEMORY_MIB, permissions.runBegin(context));
    this.fence = make('Fence', 'run-fence', 'keeps the old side from writing', LONG, MEMORY_MIB, fence(context));
    this.hooks = make('Hooks', 'run-hooks', 'runs the hooks of a wave', LONG, MEMORY_MIB, permissions.runHooks(context));
    this.launch = make('Launch', 'run-launch', 'launches the machines of a wave', LONG, FLEET_MEMORY_MIB, permissions.runLaunch(context, places));
    this.check = make('Check', 'run-check', 'checks the machines of a wave', LONG, MEMORY_MIB, permissions.runCheck(context));
    this.cutover = make('Cutover', 'run-cutover', 'moves traffic to what a failover has recovered', LONG, MEMORY_MIB, permissions.runCutover(context));
    this.finish = make('Finish', 'run-finish', 'writes the evidence of the run', Duration.minutes(5), FLEET_MEMORY_MIB, permissions.runFinish(context));
  }

  get steps(): WorkflowFunction[] {
    return [this.begin, this.fence, this.hooks, this.launch, this.check, this.cutover, this.finish];
  }
}
