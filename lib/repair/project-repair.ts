import { Construct } from 'constructs';
import type { EndpointRepairConfig, RepairConfig } from '../../lambda/core/config';
import { EndpointTags } from '../endpoint/endpoint-tags';
import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';
import type { ProjectContext } from '../functions/context';
import { LONG, MEMORY_MIB } from '../functions/cycle-functions';
import { beginRepair, fenceFailed, fenceRepair, runSwapIn, swapInPermissions } from '../functions/permissions/repair';
import type { RunFunctions } from '../functions/run-functions';
import { WorkflowFunction } from '../functions/workflow-function';
import type { Repair } from './repair';

export interface ProjectRepairProps {
  readonly context: ProjectContext;
  readonly repair: Repair;
  readonly functions: RunFunctions;
  /** Endpoints are still added after construction. */
  readonly endpoints: readonly ProtectedEndpoint[];
}

/** What a project needs to repair machines in the source Region. @internal */
export class ProjectRepair extends Construct {
  readonly swapIn: WorkflowFunction;
  private readonly tags: EndpointTags;

  constructor(scope: Construct, id: string, private readonly props: ProjectRepairProps) {
    super(scope, id);
    const { context, functions } = props;
    this.swapIn = new WorkflowFunction(this, 'SwapIn', {
      context, handler: 'run-swap-in', description: 'gives new machines the addresses and registrations of those they replace', timeout: LONG, memoryMiB: MEMORY_MIB, permissions: runSwapIn(context),
    });
    for (const permission of beginRepair(context)) functions.begin.allow(permission);
    for (const permission of fenceRepair(context)) functions.fence.allow(permission);
    this.tags = new EndpointTags(context.project, (tags) => { for (const permission of fenceFailed(context, tags)) functions.fence.allow(permission); });
  }

  add(endpoint: ProtectedEndpoint): void {
    const { context } = this.props;
    this.tags.add(endpoint);
    const tags = endpoint.endpoint._toConfig(context.project).tags;
    for (const swap of endpoint.endpoint.repair.swapIn ?? []) for (const permission of swapInPermissions(context, swap._config, tags)) this.swapIn.allow(permission);
  }

  toConfig(): { readonly repair: RepairConfig } {
    const configs = this.props.endpoints.map(({ name, endpoint: { repair } }): [string, EndpointRepairConfig] => [name, {
      redeploy: (repair.redeploy ?? []).map((hook) => hook._toConfig()), swapIn: (repair.swapIn ?? []).map(({ _config }) => _config),
    }]);
    return { repair: this.props.repair._toConfig(Object.fromEntries(configs.filter(([, { redeploy, swapIn }]) => redeploy.length + swapIn.length > 0))) };
  }
}
