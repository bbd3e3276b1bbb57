import type { ProjectContext } from '../context';
import { catalogue } from './catalogue';
import { executionsArn } from './executions';
import { useTargetKey } from './keys';
import { describe, ec2Arn, taggedRequest, taggedResource, Wide, type Permission } from './permission';

// None of these names the source Region: recovery does not need it. Fencing does, where it is declared; see permissions/fence.

const READ_WRITE = ['GetItem', 'Query', 'PutItem', 'UpdateItem'] as const;

export function runBegin(context: ProjectContext): Permission[] {
  return [
    ...catalogue(context, READ_WRITE, 'work'),
    // A run is resumed by what there is of its machines.
    describe(['DescribeInstances', 'DescribeSnapshots'], [context.recoveryRegion]),
    // A run is resumed only if the execution that it had is over.
    { actions: ['states:DescribeExecution'], resources: [executionsArn(context, 'run')], wide: Wide.EXECUTIONS },
  ];
}

/** Hooks' own functions and documents are granted as waves name them. */
export function runHooks(context: ProjectContext): Permission[] {
  return catalogue(context, READ_WRITE);
}

export function runCheck(context: ProjectContext): Permission[] {
  return [...catalogue(context, READ_WRITE), describe(['DescribeInstanceStatus'], [context.recoveryRegion])];
}

/** What each cutover changes is granted as the project names it. */
export function runCutover(context: ProjectContext): Permission[] {
  return catalogue(context, READ_WRITE);
}

export function runFinish(context: ProjectContext): Permission[] {
  return [...catalogue(context, READ_WRITE, 'work'), describe(['DescribeImages'], [context.recoveryRegion]), deregister(context)];
}

/** @param places ARNs of the subnets, security groups, key pairs and reservations that the project is configured with */
export function runLaunch(context: ProjectContext, places: readonly string[]): Permission[] {
  const arn = (type: string): string => ec2Arn(context, context.recoveryRegion, type);
  const machines = [arn('instance'), arn('volume'), arn('network-interface')];
  const tagOnCreate = { 'ec2:CreateAction': ['RunInstances', 'RegisterImage'], ...taggedRequest(context) };
  return [
    ...catalogue(context, READ_WRITE),
    describe(['DescribeImages', 'DescribeInstances', 'DescribeVolumes'], [context.recoveryRegion]),
    { actions: ['ec2:RegisterImage'], resources: [arn('image')], conditions: { StringEquals: taggedRequest(context) }, wide: Wide.OWN_TAG },
    { actions: ['ec2:RegisterImage'], resources: [arn('snapshot')], conditions: { StringEquals: taggedResource(context) }, wide: Wide.OWN_TAG },
    deregister(context),
    { actions: ['ec2:RunInstances'], resources: machines, conditions: { StringEquals: taggedRequest(context) }, wide: Wide.OWN_TAG },
    { actions: ['ec2:RunInstances'], resources: [arn('image'), arn('snapshot')], conditions: { StringEquals: taggedResource(context) }, wide: Wide.OWN_TAG },
    { actions: ['ec2:RunInstances'], resources: places },
    { actions: ['ec2:CreateTags'], resources: [...machines, arn('image')], conditions: { StringEquals: tagOnCreate }, wide: Wide.OWN_TAG },
    ...useTargetKey(context),
  ];
}

/** Recovered machines may carry these roles. */
export function passRoles(roleArns: readonly string[]): Permission {
  return { actions: ['iam:PassRole'], resources: roleArns, conditions: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } } };
}

/** For machines whose AMI cannot be registered from a snapshot: launch a base image, put the recovered root volume in. */
export function replaceRoot(context: ProjectContext, baseImageIds: readonly string[]): Permission[] {
  const arn = (type: string, id?: string): string => ec2Arn(context, context.recoveryRegion, type, id);
  const own = { conditions: { StringEquals: taggedResource(context) }, wide: Wide.OWN_TAG };
  return [
    { actions: ['ec2:RunInstances'], resources: baseImageIds.map((id) => arn('image', id)) },
    { actions: ['ec2:CreateVolume'], resources: [arn('volume')], conditions: { StringEquals: taggedRequest(context) }, wide: Wide.OWN_TAG },
    { actions: ['ec2:CreateTags'], resources: [arn('volume')], conditions: { StringEquals: { 'ec2:CreateAction': 'CreateVolume', ...taggedRequest(context) } }, wide: Wide.OWN_TAG },
    { actions: ['ec2:CreateVolume'], resources: [arn('snapshot')], ...own },
    { actions: ['ec2:StopInstances', 'ec2:StartInstances', 'ec2:ModifyInstanceAttribute'], resources: [arn('instance')], ...own },
    { actions: ['ec2:AttachVolume', 'ec2:DetachVolume'], resources: [arn('instance'), arn('volume')], ...own },
    { actions: ['ec2:DeleteVolume'], resources: [arn('volume')], ...own },
  ];
}

function deregister(context: ProjectContext): Permission {
  return {
    actions: ['ec2:DeregisterImage'],
    resources: [ec2Arn(context, context.recoveryRegion, 'image')],
    conditions: { StringEquals: taggedResource(context) },
    wide: Wide.OWN_TAG,
  };
}
