import { Tag } from '../../../lambda/core/tags';
import type { Fencing } from '../../fencing/fencing';
import type { ProjectContext } from '../context';
import { catalogue } from './catalogue';
import { describe, ec2Arn, taggedResource, Wide, type Permission } from './permission';

/** What both fencing functions need for any project: the lease, and machines that an earlier failover has launched. */
export function fence(context: ProjectContext, index?: 'work'): Permission[] {
  const { recoveryRegion } = context;
  return [
    ...catalogue(context, ['GetItem', 'Query', 'PutItem', 'UpdateItem'], index),
    describe(['DescribeInstances'], [recoveryRegion]),
    {
      actions: ['ec2:StopInstances'],
      resources: [ec2Arn(context, recoveryRegion, 'instance')],
      conditions: { StringEquals: { ...taggedResource(context), [`aws:ResourceTag/${Tag.MODE}`]: 'failover' } },
      wide: Wide.OWN_TAG,
    },
  ];
}

/** What the project's way of fencing adds, without what concerns the machines themselves. */
export function fenceBy(context: ProjectContext, fencing: Fencing): Permission[] {
  if (!fencing._active) return [];
  const groups = fencing._kind('isolate').map(({ securityGroupId }) => ec2Arn(context, context.sourceRegion, 'security-group', securityGroupId));
  const roleArns = fencing._kind('revoke-sessions').flatMap((action) => action.roleArns);
  return [
    describe(['DescribeInstances'], [context.sourceRegion]),
    ...(groups.length > 0 ? [{ actions: ['ec2:ModifyInstanceAttribute'], resources: groups }] : []),
    // IAM has no condition for the contents or the name of an inline policy; the roles are named.
    ...(roleArns.length > 0 ? [{ actions: ['iam:GetRolePolicy', 'iam:PutRolePolicy'], resources: roleArns }] : []),
    ...(fencing._functionArns.length > 0 ? [{ actions: ['lambda:InvokeFunction'], resources: [...fencing._functionArns] }] : []),
  ];
}

/** The acts on machines of the source Region that carry these tags. @param tags condition values by tag key */
export function fenceMachines(context: ProjectContext, fencing: Fencing, tags: Readonly<Record<string, unknown>>): Permission[] {
  const actions = [
    ...(fencing._kind('stop').length > 0 ? ['ec2:StopInstances'] : []),
    ...(fencing._kind('isolate').length > 0 ? ['ec2:ModifyInstanceAttribute'] : []),
  ];
  if (actions.length === 0) return [];
  const conditions = { StringEquals: Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value])) };
  return [{ actions, resources: [ec2Arn(context, context.sourceRegion, 'instance')], conditions, wide: Wide.ENDPOINT_TAG }];
}

/** What a failback needs to undo it. The groups that machines had before are known at run time only. */
export function releaseBy(context: ProjectContext, fencing: Fencing): Permission[] {
  const roleArns = fencing._kind('revoke-sessions').flatMap((action) => action.roleArns);
  const isolates = fencing._kind('isolate').length > 0;
  return [
    // It looks for the failovers that it undoes the fencing of.
    ...catalogue(context, ['Query'], 'work'),
    ...(isolates ? [{ actions: ['ec2:ModifyInstanceAttribute'], resources: [ec2Arn(context, context.sourceRegion, 'security-group')], wide: Wide.GROUPS_BEFORE }] : []),
    ...(roleArns.length > 0 ? [{ actions: ['iam:DeleteRolePolicy'], resources: roleArns }] : []),
  ];
}
