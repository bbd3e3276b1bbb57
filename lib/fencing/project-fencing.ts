import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { FenceGuardConfig } from '../../lambda/core/config';
import type { FencingConfig } from '../../lambda/core/fencing';
import { EndpointTags } from '../endpoint/endpoint-tags';
import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';
import type { ProjectContext } from '../functions/context';
import { MEMORY_MIB, SHORT } from '../functions/cycle-functions';
import { publish } from '../functions/permissions/detection';
import { fence, fenceBy, fenceMachines, releaseBy } from '../functions/permissions/fence';
import { WorkflowFunction } from '../functions/workflow-function';
import { physicalName } from '../names';
import { Fencing } from './fencing';

export interface ProjectFencingProps {
  readonly context: ProjectContext;
  readonly fencing?: Fencing;
  /** Of the run. */
  readonly handler: WorkflowFunction;
  /** Endpoints are still added after construction. */
  readonly endpoints: readonly ProtectedEndpoint[];
  readonly topic?: ITopic;
  /** A failback undoes it. */
  readonly release: boolean;
}

/** How a project fences its old side: who may do it, and the guard that does it once the source Region answers again. @internal */
export class ProjectFencing extends Construct {
  /** Only where there is something to fence. */
  readonly guard?: WorkflowFunction;
  private readonly fencing: Fencing;
  private readonly functions: readonly WorkflowFunction[];
  private readonly tags: EndpointTags;

  constructor(scope: Construct, id: string, private readonly props: ProjectFencingProps) {
    super(scope, id);
    const { context, handler, topic } = props;
    this.fencing = props.fencing ?? Fencing.none();
    if (this.fencing._active) {
      this.guard = new WorkflowFunction(this, 'Guard', {
        context, handler: 'fence-guard', description: 'fences the old side when the source Region answers again', memoryMiB: MEMORY_MIB,
        // Short: so long after a failback has begun the guard may still act on what it read before.
        timeout: SHORT,
        permissions: [...fence(context, 'work'), ...(topic === undefined ? [] : publish(topic, context))],
      });
    }
    this.functions = [handler, ...(this.guard === undefined ? [] : [this.guard])];
    this.allow(fenceBy(context, this.fencing));
    if (props.release) for (const permission of releaseBy(context, this.fencing)) handler.allow(permission);
    this.tags = new EndpointTags(context.project, (tags) => this.allow(fenceMachines(context, this.fencing, tags)));
  }

  /** Lets the fencing functions act on the machines of an endpoint, by the tags by which they are found. */
  add(endpoint: ProtectedEndpoint): void {
    this.tags.add(endpoint);
  }

  toConfig(): { readonly fencing?: FencingConfig } {
    if (this.props.fencing === undefined) return {};
    const { context, endpoints } = this.props;
    return { fencing: this.fencing._toConfig(`${physicalName(context.project)}-fenced`, endpoints.map(({ endpoint }) => endpoint._toConfig(context.project))) };
  }

  guardConfig(): FenceGuardConfig | undefined {
    const { fencing } = this.toConfig();
    const { context: { project, sourceRegion, recoveryRegion }, topic } = this.props;
    return fencing && { project, sourceRegion, recoveryRegion, fencing, ...(topic === undefined ? {} : { topicArn: topic.topicArn }) };
  }

  problems(): string[] {
    return this.fencing._problems();
  }

  private allow(permissions: ReturnType<typeof fenceBy>): void {
    for (const fn of this.functions) for (const permission of permissions) fn.allow(permission);
  }
}
