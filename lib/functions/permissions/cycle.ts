import type { ProjectContext } from '../context';
import { catalogue } from './catalogue';
import { executionsArn } from './executions';
import { readSourceKeys, useTargetKey } from './keys';
import { describe, ec2Arn, taggedRequest, taggedResource, Wide, type Permission } from './permission';

export function cycleBegin(context: ProjectContext): Permission[] {
  return [
    ...catalogue(context, ['GetItem', 'PutItem', 'UpdateItem']),
    { actions: ['states:DescribeExecution'], resources: [executionsArn(context, 'cycle')], wide: Wide.EXECUTIONS },
  ];
}

export function cycleDiscover(context: ProjectContext): Permission[] {
  const instances = [ec2Arn(context, context.sourceRegion, 'instance')];
  return [
    ...catalogue(context, ['GetItem', 'Query', 'PutItem', 'UpdateItem']),
    describe(['DescribeInstances', 'DescribeVolumes'], [context.sourceRegion]),
    { actions: ['ec2:DescribeInstanceAttribute', 'ec2:GetInstanceUefiData'], resources: instances, wide: Wide.SELECTED_BY_TAG },
    { actions: ['iam:GetInstanceProfile'], resources: [`arn:${context.partition}:iam::${context.account}:instance-profile/*`], wide: Wide.PROFILES },
  ];
}

export function cycleSnapshot(context: ProjectContext): Permission[] {
  const source = context.sourceRegion;
  const snapshots = [ec2Arn(context, source, 'snapshot')];
  return [
    ...catalogue(context, ['GetItem', 'Query', 'PutItem', 'UpdateItem'], 'work'),
    describe(['DescribeSnapshots'], [source]),
    { actions: ['ec2:CreateSnapshots'], resources: [ec2Arn(context, source, 'instance'), ec2Arn(context, source, 'volume')], wide: Wide.SELECTED_BY_TAG },
    { actions: ['ec2:CreateSnapshots'], resources: snapshots, conditions: { StringEquals: taggedRequest(context) }, wide: Wide.OWN_TAG },
    { actions: ['ec2:CreateTags'], resources: snapshots, conditions: { StringEquals: { 'ec2:CreateAction': 'CreateSnapshots', ...taggedRequest(context) } }, wide: Wide.OWN_TAG },
  ];
}

export function cycleReplicate(context: ProjectContext): Permission[] {
  const { sourceRegion, recoveryRegion } = context;
  const copies = [ec2Arn(context, recoveryRegion, 'snapshot')];
  // What exists has an id; the copy that is to be made is judged as snapshot/*, which these do not match.
  // The reference gives snapshots no account in their ARN; that the check of the source follows it was not seen on AWS yet.
  const existing = [sourceRegion, recoveryRegion].flatMap((region) => [
    ec2Arn(context, region, 'snapshot', 'snap-*'), `arn:${context.partition}:ec2:${region}:${context.account}:snapshot/snap-*`,
  ]);
  return [
    ...catalogue(context, ['GetItem', 'Query', 'PutItem', 'UpdateItem'], 'work'),
    describe(['DescribeSnapshots'], [sourceRegion, recoveryRegion]),
    { actions: ['ec2:CopySnapshot'], resources: copies, conditions: { StringEquals: taggedRequest(context) }, wide: Wide.OWN_TAG },
    // The Service Authorization Reference lists no resource tags for what is copied: they bound it where EC2 gives them.
    { actions: ['ec2:CopySnapshot'], resources: existing, conditions: { StringEqualsIfExists: taggedResource(context) }, wide: Wide.OWN_TAG },
    { actions: ['ec2:CreateTags'], resources: copies, conditions: { StringEquals: { 'ec2:CreateAction': 'CopySnapshot', ...taggedRequest(context) } }, wide: Wide.OWN_TAG },
    ...useTargetKey(context),
    ...readSourceKeys(context),
  ];
}

export function cycleWait(context: ProjectContext): Permission[] {
  const conditions = { StringEquals: { 'aws:RequestedRegion': context.recoveryRegion } };
  return [...catalogue(context, ['UpdateItem']), { actions: ['states:SendTaskSuccess'], resources: ['*'], conditions, wide: Wide.TASK_TOKEN }];
}

export function wake(context: ProjectContext): Permission[] {
  return cycleWait(context);
}

export function cyclePrune(context: ProjectContext): Permission[] {
  const regions = [context.sourceRegion, context.recoveryRegion];
  const snapshots = regions.map((region) => ec2Arn(context, region, 'snapshot'));
  return [
    // It forgets machines that are gone for good.
    ...catalogue(context, ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'], 'work'),
    describe(['DescribeSnapshots'], regions),
    { actions: ['ec2:DeleteSnapshot'], resources: snapshots, conditions: { StringEquals: taggedResource(context) }, wide: Wide.OWN_TAG },
  ];
}

export function cycleFinish(context: ProjectContext): Permission[] {
  return catalogue(context, ['GetItem', 'Query', 'DeleteItem'], 'work');
}
