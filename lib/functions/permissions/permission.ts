import type { ProjectContext } from '../context';
import { Tag } from '../../../lambda/core/tags';

/** One IAM statement. */
export interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Record<string, Record<string, unknown>>;
  /** Why a resource has a wildcard; required where one has. Shown by tools such as cdk-nag as the reason. */
  readonly wide?: string;
}

/** Reasons for what is wide, in one place so that they can be judged together. */
export const Wide = {
  DESCRIBE: 'EC2 describe actions take no resource; bound to the Region.',
  OWN_TAG: 'Ids are not known before the run; bound to the project by its tag, on the request or on the resource.',
  SELECTED_BY_TAG: 'Which instances and volumes are protected is decided by the user\'s own tags at run time; the snapshots made of them must carry the project\'s tag.',
  ENDPOINT_TAG: 'Which instances are fenced is known at run time; bound to the source Region by the tags that make an instance a protected one.',
  GROUPS_BEFORE: 'The security groups that a machine had before it was isolated are known at run time only; which machines get them back is bound by their tags.',
  DISKS_OF_OWN: 'EC2 judges the instance too, which must carry the project\'s tag: the disks are those of such an instance.',
  MARKS: 'Disks that were replaced are known at run time only; nothing but the marks of that can be written.',
  PLACES_BEFORE: 'Subnet, security groups and key pair are those of the machine that is replaced, known at run time only; what is launched must carry the project\'s tag.',
  EXECUTIONS: 'Names of executions are not known before; bound to one state machine.',
  PROFILES: 'Instance profiles of protected instances are known at run time only; read only.',
  COMMANDS: 'The commands that SSM runs get their ids at run time, and these actions take no resource; read only.',
  TASK_TOKEN: 'Answering a task takes no resource (Service Authorization Reference, AWS Step Functions): the token itself is the right; bound to the Region.',
  KEY_BY_ALIAS: 'The key is named by its alias, in a condition.',
} as const;

export function ec2Arn(context: ProjectContext, region: string, type: string, id = '*'): string {
  // Snapshots and images are owned in EC2's own namespace: their ARNs have no account.
  const account = type === 'snapshot' || type === 'image' ? '' : context.account;
  return `arn:${context.partition}:ec2:${region}:${account}:${type}/${id}`;
}

/** The thing that is made carries the project's tag. */
export function taggedRequest(context: ProjectContext): Record<string, unknown> {
  return { [`aws:RequestTag/${Tag.PROJECT}`]: context.project };
}

/** The thing that is used or removed carries the project's tag. */
export function taggedResource(context: ProjectContext): Record<string, unknown> {
  return { [`aws:ResourceTag/${Tag.PROJECT}`]: context.project };
}

export function describe(actions: readonly string[], regions: readonly string[]): Permission {
  const actionNames = actions.map((action) => `ec2:${action}`);
  return { actions: actionNames, resources: ['*'], conditions: { StringEquals: { 'aws:RequestedRegion': one(regions) } }, wide: Wide.DESCRIBE };
}

/** IAM keeps a list of one as a string; so do we, to compare with what is deployed. */
export function one<T>(values: readonly T[]): T | readonly T[] {
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}
