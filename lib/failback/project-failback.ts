import { Construct } from 'constructs';
import type { FailbackConfig } from '../../lambda/core/config';
import { EndpointTags } from '../endpoint/endpoint-tags';
import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';
import type { ProjectContext } from '../functions/context';
import { FLEET_MEMORY_MIB, LONG, MEMORY_MIB } from '../functions/cycle-functions';
import * as permissions from '../functions/permissions/failback';
import type { FailbackFunctions } from '../functions/run-functions';
import { WorkflowFunction } from '../functions/workflow-function';
import type { Failback } from './failback';

export interface ProjectFailbackProps {
  readonly context: ProjectContext;
  readonly failback: Failback;
  /** Of the run. */
  readonly begin: WorkflowFunction;
}

/** What a project needs for its way back: functions of the run, and the return cycle. @internal */
export class ProjectFailback extends Construct {
  readonly functions: FailbackFunctions;
  private readonly tags: EndpointTags;

  constructor(scope: Construct, id: string, private readonly props: ProjectFailbackProps) {
    super(scope, id);
    const { context } = props;
    this.functions = {
      sync: new WorkflowFunction(this, 'Sync', {
        context, handler: 'run-sync', description: 'copies what the recovered machines have written to the source Region', timeout: LONG, memoryMiB: FLEET_MEMORY_MIB, permissions: permissions.runSync(context),
      }),
      drain: new WorkflowFunction(this, 'Drain', {
        context, handler: 'run-drain', description: 'stops the recovered machines before their last copy', timeout: LONG, memoryMiB: MEMORY_MIB, permissions: permissions.runDrain(context),
      }),
      verify: new WorkflowFunction(this, 'Verify', {
        context, handler: 'run-verify', description: 'compares the disks that come back in both Regions', timeout: LONG, memoryMiB: FLEET_MEMORY_MIB, permissions: permissions.runVerify(context),
      }),
    };
    for (const permission of permissions.beginFailback(context)) props.begin.allow(permission);
    this.tags = new EndpointTags(context.project, (tags) => this.functions.drain.allow(permissions.stopOriginals(context, tags)));
  }

  /** Lets the failback stop the machines of an endpoint in the source Region. */
  add(endpoint: ProtectedEndpoint): void {
    this.tags.add(endpoint);
  }

  toConfig(): { readonly failback: FailbackConfig } {
    return { failback: this.props.failback._toConfig('') };
  }
}
