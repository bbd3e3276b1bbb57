import { CfnResource, Tags } from 'aws-cdk-lib';
import type { IAutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import type { IInstance } from 'aws-cdk-lib/aws-ec2';
import type { IConstruct } from 'constructs';
import type { EndpointConfig } from '../../lambda/core/config';
import { Tag, TAG_PREFIX } from '../../lambda/core/tags';
import { partNameProblem } from '../names';
import type { EndpointRepair } from '../repair/repair';
import { launchSettingsProblems, type LaunchSettings } from './launch-settings';

/** One EC2 instance. Give `instance` or `tag`. */
export interface InstanceEndpointOptions {
  /** An instance defined in this app, also in another stack or Region: it is tagged, not referenced. @default - found by `tag` */
  readonly instance?: IInstance;
  /** Tags, all of which exactly one instance in the source Region carries. @default - found by `instance` */
  readonly tag?: Record<string, string>;
  /** @default - as the source and the recovery target say */
  readonly launch?: LaunchSettings;
  /** What a repair does for its machines; the project declares `repair` then. @default - they are launched and checked only */
  readonly repair?: EndpointRepair;
}

/** Any number of EC2 instances that are recovered together. Give exactly one of `tag`, `instances`, `autoScalingGroup`. */
export interface InstancesEndpointOptions {
  /** Tags, all of which each instance carries. What carries them at the time of a protection cycle is protected. @default - none */
  readonly tag?: Record<string, string>;
  /** Instances defined in this app, also in another stack or Region. @default - none */
  readonly instances?: IInstance[];
  /** A group defined in this app; instances that it launches after the next deployment carry the tags. @default - none */
  readonly autoScalingGroup?: IAutoScalingGroup;
  /** @default - as the source and the recovery target say */
  readonly launch?: LaunchSettings;
  /** What a repair does for its machines; the project declares `repair` then. @default - they are launched and checked only */
  readonly repair?: EndpointRepair;
}

/** How an endpoint is found. @internal */
export interface EndpointSelector {
  readonly single: boolean;
  readonly tag?: Record<string, string>;
  readonly constructs: readonly IConstruct[];
}

const TAGGABLE = ['AWS::EC2::Instance', 'AWS::AutoScaling::AutoScalingGroup'];
/** EC2: 200 values a filter; DescribeInstances with one filter a key stays far below, yet more than this is surely a mistake. */
const MOST_TAGS = 10;

/** A machine, or a set of machines, that is protected and recovered as one thing. */
export class Endpoint {
  /**
   * One instance.
   * @param name unique in the project; 1 to 64 letters, digits, dots, hyphens, underscores
   */
  static instance(name: string, options: InstanceEndpointOptions): Endpoint {
    const constructs = options.instance ? [options.instance] : [];
    return new Endpoint(name, { single: true, tag: options.tag, constructs }, options.launch ?? {}, options.repair ?? {});
  }

  /**
   * Any number of instances.
   * @param name unique in the project; 1 to 64 letters, digits, dots, hyphens, underscores
   */
  static instances(name: string, options: InstancesEndpointOptions): Endpoint {
    const constructs = [...(options.instances ?? []), ...(options.autoScalingGroup ? [options.autoScalingGroup] : [])];
    return new Endpoint(name, { single: false, tag: options.tag, constructs }, options.launch ?? {}, options.repair ?? {});
  }

  private constructor(
    /** Name in the project. */
    readonly name: string,
    /** @internal */
    readonly _selector: EndpointSelector,
    /** Overrides for its recovered machines. */
    readonly launch: LaunchSettings,
    /** What a repair does for its machines. */
    readonly repair: EndpointRepair,
  ) {}

  /** Tags the constructs behind it, so that discovery finds their instances. @internal */
  _tagConstructs(project: string): void {
    for (const construct of this._selector.constructs) {
      const tags = Tags.of(construct);
      tags.add(Tag.PROJECT, project, { includeResourceTypes: TAGGABLE, applyToLaunchedInstances: true });
      tags.add(Tag.ENDPOINT, this.name, { includeResourceTypes: TAGGABLE, applyToLaunchedInstances: true });
    }
  }

  /** @internal */
  _toConfig(project: string): EndpointConfig {
    const tags = this._selector.tag ?? { [Tag.PROJECT]: project, [Tag.ENDPOINT]: this.name };
    return { name: this.name, tags, single: this._selector.single };
  }

  /** What is wrong with it, in words that say what to do. @internal */
  _problems(): string[] {
    const { constructs, tag } = this._selector;
    const problems: string[] = [];
    const name = partNameProblem('an endpoint', this.name);
    if (name) problems.push(name);
    if ((tag !== undefined) === constructs.length > 0) {
      problems.push(`Endpoint '${this.name}' must be found either by tag or by constructs: give exactly one of them.`);
    }
    problems.push(...this.tagProblems(tag ?? {}), ...launchSettingsProblems(`endpoint '${this.name}'`, this.launch));
    if (tag && Object.keys(tag).length === 0) problems.push(`Endpoint '${this.name}' has no tag, which would select every instance of the account. Give at least one.`);
    const redeploy = (this.repair.redeploy ?? []).map((hook) => hook._toConfig().name);
    for (const name of new Set(redeploy.filter((one, index) => redeploy.indexOf(one) !== index))) problems.push(`Endpoint '${this.name}' has two redeploy hooks '${name}'. Give one of them another name.`);
    problems.push(...(this.repair.redeploy ?? []).flatMap((hook) => hook._problems()));
    for (const construct of constructs) {
      if (!hasTaggableResource(construct)) {
        problems.push(`Endpoint '${this.name}': ${construct.node.path} is not defined in this app (imported?), so it cannot be tagged. Select it by tag.`);
      }
    }
    return problems;
  }

  private tagProblems(tag: Record<string, string>): string[] {
    const keys = Object.keys(tag);
    const problems: string[] = [];
    if (keys.length > MOST_TAGS) problems.push(`Endpoint '${this.name}' has ${keys.length} tags, at most ${MOST_TAGS} are allowed.`);
    for (const key of keys.filter((one) => one.startsWith(TAG_PREFIX))) {
      problems.push(`Endpoint '${this.name}' selects by '${key}', which this package sets itself. Select by a tag of your own.`);
    }
    return problems;
  }
}

function hasTaggableResource(construct: IConstruct): boolean {
  return construct.node.findAll().some((child) => CfnResource.isCfnResource(child) && TAGGABLE.includes(child.cfnResourceType));
}
