import { Tag } from '../../../lambda/core/tags';
import type { VolumeKeyBinding } from '../../volume-key';
import type { ProjectContext } from '../context';
import { catalogue } from './catalogue';
import { executionsArn, machineArn } from './executions';
import { useTargetKey } from './keys';
import { describe, ec2Arn, taggedResource, Wide, type Permission } from './permission';

const READ_WRITE = ['GetItem', 'Query', 'PutItem', 'UpdateItem'] as const;

/** What a failback adds to the begin of a run: it looks at the machines of the source side. */
export function beginFailback(context: ProjectContext): Permission[] {
  return [describe(['DescribeInstances'], [context.sourceRegion])];
}

/** Starts return cycles and waits for them; plans what comes back. */
export function runSync(context: ProjectContext): Permission[] {
  return [
    ...catalogue(context, READ_WRITE, 'work'),
    { actions: ['states:StartExecution'], resources: [machineArn(context, 'return-cycle')] },
    { actions: ['states:DescribeExecution'], resources: [executionsArn(context, 'return-cycle')], wide: Wide.EXECUTIONS },
    describe(['DescribeInstances'], [context.sourceRegion]),
  ];
}

/** Stops the recovered machines; starts them again when a failback does not come through. */
export function runDrain(context: ProjectContext): Permission[] {
  const { sourceRegion, recoveryRegion } = context;
  const of = (mode: string): Record<string, unknown> => ({ ...taggedResource(context), [`aws:ResourceTag/${Tag.MODE}`]: mode });
  const marks = { 'ForAllValues:StringEquals': { 'aws:TagKeys': [Tag.REPLACED_BY, Tag.EXPIRES_AT] }, Null: { 'aws:TagKeys': 'false' } };
  const recovered = [ec2Arn(context, recoveryRegion, 'instance')];
  const launched = [ec2Arn(context, sourceRegion, 'instance')];
  return [
    ...catalogue(context, READ_WRITE),
    describe(['DescribeInstances'], [sourceRegion, recoveryRegion]),
    { actions: ['ec2:StopInstances', 'ec2:StartInstances'], resources: recovered, conditions: { StringEquals: of('failover') }, wide: Wide.OWN_TAG },
    { actions: ['ec2:CreateTags'], resources: [...recovered, ec2Arn(context, recoveryRegion, 'volume')], conditions: { StringEquals: of('failover'), ...marks }, wide: Wide.OWN_TAG },
    // A machine starts with its encrypted disks only if their key may be used.
    ...useTargetKey(context),
    // New machines in the place of originals that are gone, where the failback does not come through.
    { actions: ['ec2:StopInstances'], resources: launched, conditions: { StringEquals: of('failback') }, wide: Wide.OWN_TAG },
    { actions: ['ec2:CreateTags'], resources: launched, conditions: { StringEquals: of('failback'), ...marks }, wide: Wide.OWN_TAG },
  ];
}

/** Lets the drain stop machines of the source side, by the tags by which endpoints find them. @param tags condition values by tag key */
export function stopOriginals(context: ProjectContext, tags: Readonly<Record<string, unknown>>): Permission {
  return {
    actions: ['ec2:StopInstances'],
    resources: [ec2Arn(context, context.sourceRegion, 'instance')],
    conditions: { StringEquals: Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value])) },
    wide: Wide.ENDPOINT_TAG,
  };
}

/** Reads snapshots of both Regions. */
export function runVerify(context: ProjectContext, key: VolumeKeyBinding | undefined): Permission[] {
  const { sourceRegion, recoveryRegion, partition, account } = context;
  const snapshots = [sourceRegion, recoveryRegion].map((region) => ec2Arn(context, region, 'snapshot'));
  // Which of the two shows as the calling service was not seen on AWS yet.
  const via = [sourceRegion, recoveryRegion].flatMap((region) => ['ec2', 'ebs'].map((service) => `${service}.${region}.amazonaws.com`));
  const decrypt = (resources: readonly string[], conditions: Record<string, Record<string, unknown>> = {}, wide?: string): Permission => ({
    actions: ['kms:Decrypt', 'kms:DescribeKey'], resources, conditions: { StringEquals: { 'kms:ViaService': via }, ...conditions }, wide,
  });
  return [
    ...catalogue(context, READ_WRITE, 'work'),
    {
      actions: ['ebs:ListSnapshotBlocks', 'ebs:ListChangedBlocks', 'ebs:GetSnapshotBlock'], resources: snapshots,
      conditions: { StringEquals: taggedResource(context) }, wide: Wide.OWN_TAG,
    },
    decrypt([context.key.keyArn]),
    ...(key?.arn === undefined ? [] : [decrypt([key.arn])]),
    ...(key?.alias === undefined ? [] : [
      decrypt([`arn:${partition}:kms:${sourceRegion}:${account}:key/*`], { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': key.alias } }, Wide.KEY_BY_ALIAS),
    ]),
  ];
}
