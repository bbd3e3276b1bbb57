import { Annotations } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { CutoverConfig } from '../../lambda/core/cutover';
import type { ProjectContext } from '../functions/context';
import type { WorkflowFunction } from '../functions/workflow-function';
import { partNameProblem } from '../names';
import type { BoundCutover } from './cutover-options';
import type { TrafficCutover } from './traffic-cutover';

/** The cutovers of a project, in their order. @internal */
export class Cutovers {
  private readonly bound: BoundCutover[] = [];
  private container?: Construct;

  constructor(private readonly owner: Construct, private readonly context: ProjectContext, private readonly handler: WorkflowFunction) {}

  add(cutover: TrafficCutover): void {
    const bound = cutover._bind(this.owner, (name) => this.place(name), this.context);
    this.bound.push(bound);
    for (const permission of bound.permissions) this.handler.allow(permission);
    if (bound.warning !== undefined) Annotations.of(this.owner).addWarningV2(`cdk-disaster-recovery:${bound.warning[0]}:${bound.config.name}`, bound.warning[1]);
  }

  /** By name, so that another order of cutovers does not replace health checks that records refer to. */
  private place(name: string): Construct {
    this.container ??= new Construct(this.owner, 'Cutover');
    if (this.container.node.tryFindChild(name) !== undefined) throw new Error(`${this.owner.node.path}: Two cutovers are named '${name}'. Give one of them another name.`);
    return new Construct(this.container, name);
  }

  toConfig(): { readonly cutover?: CutoverConfig[] } {
    return this.bound.length === 0 ? {} : { cutover: this.bound.map(({ config }) => config) };
  }

  problems(): string[] {
    const names = this.bound.map(({ config }) => config.name);
    const doubled = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
    return [
      ...this.bound.flatMap(({ config, problems, endpoints }) => [
        ...[partNameProblem('a cutover', config.name) ?? []].flat(),
        ...problems.map((problem) => `Cutover '${config.name}': ${problem}`),
        ...endpoints.filter((endpoint) => endpoint._owner !== this.owner)
          .map((endpoint) => `Cutover '${config.name}' names endpoint '${endpoint.name}' of another project (${endpoint._owner.node.path}).`),
      ]),
      ...doubled.map((name) => `Two cutovers are named '${name}'. Give one of them another name.`),
    ];
  }
}
