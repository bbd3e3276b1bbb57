import { Tag } from '../../../lambda/core/tags';
import type { VolumeKeyBinding } from '../../volume-key';
import type { ProjectContext } from '../context';
import { executionsArn } from './executions';
import { describe, ec2Arn, one, taggedRequest, taggedResource, Wide, type Permission } from './permission';

// What a return cycle adds to the functions of the protection cycle: the same work the other way round.

export function returnBegin(context: ProjectContext): Permission[] {
  return [{ actions: ['states:DescribeExecution'], resources: [executionsArn(context, 'return-cycle')], wide: Wide.EXECUTIONS }];
}

export function returnDiscover(context: ProjectContext): Permission[] {
  return [describe(['DescribeInstances', 'DescribeVolumes'], [context.recoveryRegion])];
}

/** Only of what a failover has launched. Disks that somebody has added to it carry no tag: the machine decides. */
export function returnSnapshot(context: ProjectContext): Permission[] {
  const region = context.recoveryRegion;
  const snapshots = [ec2Arn(context, region, 'snapshot')];
  const recovered = { ...taggedResource(context), [`aws:ResourceTag/${Tag.MODE}`]: 'failover' };
  return [
    describe(['DescribeSnapshots'], [region]),
    { actions: ['ec2:CreateSnapshots'], resources: [ec2Arn(context, region, 'instance')], conditions: { StringEquals: recovered }, wide: Wide.OWN_TAG },
    { actions: ['ec2:CreateSnapshots'], resources: [ec2Arn(context, region, 'volume')], wide: Wide.DISKS_OF_OWN },
    { actions: ['ec2:CreateSnapshots'], resources: snapshots, conditions: { StringEquals: taggedRequest(context) }, wide: Wide.OWN_TAG },
    { actions: ['ec2:CreateTags'], resources: snapshots, conditions: { StringEquals: { 'ec2:CreateAction': 'CreateSnapshots', ...taggedRequest(context) } }, wide: Wide.OWN_TAG },
  ];
}

/** What is copied is allowed in both Regions already; here are the copies in the source Region, and the keys. */
export function returnReplicate(context: ProjectContext, key: VolumeKeyBinding | undefined): Permission[] {
  const copies = [ec2Arn(context, context.sourceRegion, 'snapshot')];
  return [
    { actions: ['ec2:CopySnapshot'], resources: copies, conditions: { StringEquals: taggedRequest(context) }, wide: Wide.OWN_TAG },
    { actions: ['ec2:CreateTags'], resources: copies, conditions: { StringEquals: { 'ec2:CreateAction': 'CopySnapshot', ...taggedRequest(context) } }, wide: Wide.OWN_TAG },
    ...useKey(context, [context.key.keyArn], ['kms:DescribeKey', 'kms:Decrypt', 'kms:ReEncryptFrom'], {}),
    ...useReturnKey(context, key),
  ];
}

/** The disks that come back are made under it. The key that EBS uses by default lets EC2 use it without a statement here. */
export function useReturnKey(context: ProjectContext, key: VolumeKeyBinding | undefined): Permission[] {
  const actions = ['kms:DescribeKey', 'kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'];
  if (key?.arn !== undefined) return useKey(context, [key.arn], actions, {});
  if (key?.alias === undefined) return [];
  const anyKey = `arn:${context.partition}:kms:${context.sourceRegion}:${context.account}:key/*`;
  return useKey(context, [anyKey], actions, { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': key.alias } }, Wide.KEY_BY_ALIAS);
}

function useKey(context: ProjectContext, resources: readonly string[], actions: readonly string[], conditions: Record<string, Record<string, unknown>>, wide?: string): Permission[] {
  // A copy runs in one Region and reads in the other: either may show as the calling service.
  const via = { 'kms:ViaService': one([context.sourceRegion, context.recoveryRegion].map((region) => `ec2.${region}.amazonaws.com`)) };
  return [
    { actions, resources, conditions: { ...conditions, StringEquals: via }, wide },
    { actions: ['kms:CreateGrant'], resources, conditions: { ...conditions, StringEquals: via, Bool: { 'kms:GrantIsForAWSResource': 'true' } }, wide },
  ];
}
