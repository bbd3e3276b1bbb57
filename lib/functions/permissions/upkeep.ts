import { Tag } from '../../../lambda/core/tags';
import type { ProjectContext } from '../context';
import { catalogue } from './catalogue';
import { executionsArn } from './executions';
import { describe, ec2Arn, taggedResource, Wide, type Permission } from './permission';

/** By tags alone: neither the catalogue nor the source Region is needed to end a drill. */
export function drillTeardown(context: ProjectContext): Permission[] {
  const arn = (type: string): string => ec2Arn(context, context.recoveryRegion, type);
  const conditions = { StringEquals: { ...taggedResource(context), [`aws:ResourceTag/${Tag.MODE}`]: 'drill' } };
  return [
    describe(['DescribeImages', 'DescribeInstances', 'DescribeVolumes'], [context.recoveryRegion]),
    { actions: ['ec2:TerminateInstances'], resources: [arn('instance')], conditions, wide: Wide.OWN_TAG },
    { actions: ['ec2:DeregisterImage'], resources: [arn('image')], conditions, wide: Wide.OWN_TAG },
    { actions: ['ec2:DeleteVolume'], resources: [arn('volume')], conditions, wide: Wide.OWN_TAG },
  ];
}

export function sweep(context: ProjectContext): Permission[] {
  const regions = [context.sourceRegion, context.recoveryRegion];
  const own = { conditions: { StringEquals: taggedResource(context) }, wide: Wide.OWN_TAG };
  return [
    // It also takes away what runs that have ended still hold.
    ...catalogue(context, ['GetItem', 'Query', 'PutItem', 'UpdateItem'], 'work'),
    { actions: ['states:DescribeExecution'], resources: [executionsArn(context, 'run')], wide: Wide.EXECUTIONS },
    describe(['DescribeSnapshots'], regions),
    describe(['DescribeImages'], [context.recoveryRegion]),
    { actions: ['ec2:DeleteSnapshot'], resources: regions.map((region) => ec2Arn(context, region, 'snapshot')), ...own },
    { actions: ['ec2:DeregisterImage'], resources: [ec2Arn(context, context.recoveryRegion, 'image')], ...own },
  ];
}
