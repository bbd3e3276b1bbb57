import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { FailbackConfig } from '../../lambda/core/config';
import { EndpointTags } from '../endpoint/endpoint-tags';
import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';
import type { ProjectContext } from '../functions/context';
import { FLEET_MEMORY_MIB, LONG, MEMORY_MIB, type CycleFunctions } from '../functions/cycle-functions';
import * as permissions from '../functions/permissions/failback';
import * as returnCycle from '../functions/permissions/return-cycle';
import type { FailbackFunctions } from '../functions/run-functions';
import { WorkflowFunction } from '../functions/workflow-function';
import type { ProjectParts } from '../project-config';
import { CycleWorkflow } from '../workflow/cycle-workflow';
import type { Failback } from './failback';
import { returnCycleConfig } from './return-cycle';

export interface ProjectFailbackProps {
  readonly context: ProjectContext;
  readonly failback: Failback;
  /** Of the protection cycle: the return cycle is the same work the other way round. */
  readonly cycle: CycleFunctions;
  /** Called when the app is synthesized. */
  readonly parts: () => ProjectParts;
  /** Of the run. */
  readonly begin: WorkflowFunction;
}

/** What a project needs for its way back: functions of the run, and the return cycle. @internal */
export class ProjectFailback extends Construct {
  readonly functions: FailbackFunctions;
  /** The return cycle; only a failback starts it. */
  readonly machine: StateMachine;
  private readonly tags: EndpointTags;

  constructor(scope: Construct, id: string, private readonly props: ProjectFailbackProps) {
    super(scope, id);
    const { context, failback, cycle } = props;
    this.functions = {
      sync: new WorkflowFunction(this, 'Sync', {
        context, handler: 'run-sync', description: 'copies what the recovered machines have written to the source Region', timeout: LONG, memoryMiB: FLEET_MEMORY_MIB, permissions: permissions.runSync(context),
      }),
      drain: new WorkflowFunction(this, 'Drain', {
        context, handler: 'run-drain', description: 'stops the recovered machines before their last copy', timeout: LONG, memoryMiB: MEMORY_MIB, permissions: permissions.runDrain(context),
      }),
      verify: new WorkflowFunction(this, 'Verify', {
        context, handler: 'run-verify', description: 'compares the disks that come back in both Regions', timeout: LONG, memoryMiB: FLEET_MEMORY_MIB, permissions: permissions.runVerify(context, failback._options.key?._bind()),
      }),
    };
    for (const permission of permissions.beginFailback(context)) props.begin.allow(permission);
    this.tags = new EndpointTags(context.project, (tags) => this.functions.drain.allow(permissions.stopOriginals(context, tags)));
    this.allowReturn(cycle, failback);
    const workflow = new CycleWorkflow(this, 'ReturnCycle', {
      context, functions: cycle, part: 'return-cycle', intervalSeconds: failback._syncSeconds, config: () => returnCycleConfig(props.parts(), failback),
    });
    this.machine = workflow.machine;
  }

  /** Lets the failback stop the machines of an endpoint in the source Region. */
  add(endpoint: ProtectedEndpoint): void {
    this.tags.add(endpoint);
  }

  private allowReturn({ begin, discover, snapshot, replicate }: CycleFunctions, failback: Failback): void {
    const { context } = this.props;
    for (const permission of returnCycle.returnBegin(context)) begin.allow(permission);
    for (const permission of returnCycle.returnDiscover(context)) discover.allow(permission);
    for (const permission of returnCycle.returnSnapshot(context)) snapshot.allow(permission);
    for (const permission of returnCycle.returnReplicate(context, failback._options.key?._bind())) replicate.allow(permission);
  }

  toConfig(): { readonly failback: FailbackConfig } {
    return { failback: this.props.failback._toConfig(this.machine.stateMachineArn) };
  }
}
