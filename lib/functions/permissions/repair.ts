import type { SwapInConfig } from '../../../lambda/core/config';
import { Tag } from '../../../lambda/core/tags';
import type { ProjectContext } from '../context';
import { catalogue } from './catalogue';
import { describe, ec2Arn, taggedResource, Wide, type Permission } from './permission';

/** What a repair adds to the begin of a run: it looks at the source Region's zones, and at machines that a run was interrupted with. */
export function beginRepair(context: ProjectContext): Permission[] {
  return [describe(['DescribeAvailabilityZones', 'DescribeInstances'], [context.sourceRegion])];
}

export function fenceRepair(context: ProjectContext): Permission[] {
  return [describe(['DescribeInstances'], [context.sourceRegion])];
}

/** Stops and marks machines that are replaced, by the tags by which endpoints find them. @param tags condition values by tag key */
export function fenceFailed(context: ProjectContext, tags: Readonly<Record<string, unknown>>): Permission[] {
  const resources = [ec2Arn(context, context.sourceRegion, 'instance')];
  const of = Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value]));
  const marks = { 'ForAllValues:StringEquals': { 'aws:TagKeys': [Tag.PROJECT, Tag.REPLACED_BY, Tag.EXPIRES_AT] }, Null: { 'aws:TagKeys': 'false' } };
  return [
    { actions: ['ec2:StopInstances'], resources, conditions: { StringEquals: of }, wide: Wide.ENDPOINT_TAG },
    { actions: ['ec2:CreateTags'], resources, conditions: { StringEquals: of, ...marks }, wide: Wide.ENDPOINT_TAG },
  ];
}

/** What each swap-in changes is granted as endpoints name it. */
export function runSwapIn(context: ProjectContext): Permission[] {
  return catalogue(context, ['GetItem', 'Query', 'PutItem', 'UpdateItem']);
}

/** @param tags by which the endpoint finds its machines */
export function swapInPermissions(context: ProjectContext, config: SwapInConfig, tags: Readonly<Record<string, string>>): Permission[] {
  const { sourceRegion, partition } = context;
  const arn = (type: string, id?: string): string => ec2Arn(context, sourceRegion, type, id);
  const instances = [
    { resources: [arn('instance')], conditions: { StringEquals: { ...taggedResource(context), [`aws:ResourceTag/${Tag.MODE}`]: 'repair' } }, wide: Wide.OWN_TAG },
    { resources: [arn('instance')], conditions: { StringEquals: Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value])) }, wide: Wide.ENDPOINT_TAG },
  ];
  switch (config.kind) {
    case 'target-group': return [
      { actions: ['elasticloadbalancing:DescribeTargetHealth'], resources: ['*'], conditions: { StringEquals: { 'aws:RequestedRegion': sourceRegion } }, wide: 'DescribeTargetHealth takes no resource; read only, bound to the Region.' },
      { actions: ['elasticloadbalancing:RegisterTargets', 'elasticloadbalancing:DeregisterTargets'], resources: [config.targetGroupArn] },
    ];
    case 'elastic-ip': return [
      describe(['DescribeAddresses'], [sourceRegion]),
      { actions: ['ec2:AssociateAddress'], resources: [arn('elastic-ip', config.allocationId)] },
      // EC2 judges the new machine, and its interface where it has tags.
      ...instances.slice(0, 1).map((each) => ({ actions: ['ec2:AssociateAddress'], ...each })),
      { actions: ['ec2:AssociateAddress'], resources: [arn('network-interface')], conditions: { StringEquals: taggedResource(context) }, wide: Wide.OWN_TAG },
    ];
    case 'network-interface': return [
      describe(['DescribeNetworkInterfaces'], [sourceRegion]),
      { actions: ['ec2:AttachNetworkInterface', 'ec2:DetachNetworkInterface'], resources: [arn('network-interface', config.networkInterfaceId)] },
      ...instances.map((each) => ({ actions: ['ec2:AttachNetworkInterface', 'ec2:DetachNetworkInterface'], ...each })),
    ];
    case 'record': {
      const zone = `arn:${partition}:route53:::hostedzone/${config.hostedZoneId}`;
      return [
        {
          actions: ['route53:ChangeResourceRecordSets'], resources: [zone],
          conditions: {
            'ForAllValues:StringEquals': {
              'route53:ChangeResourceRecordSetsNormalizedRecordNames': config.recordName,
              'route53:ChangeResourceRecordSetsRecordTypes': 'A',
              'route53:ChangeResourceRecordSetsActions': 'UPSERT',
            },
          },
        },
        { actions: ['route53:ListResourceRecordSets'], resources: [zone] },
      ];
    }
  }
}
