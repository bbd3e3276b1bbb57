import { Tag } from '../../../lambda/core/tags';
import type { VolumeKeyBinding } from '../../volume-key';
import type { ProjectContext } from '../context';
import { useReturnKey } from './return-cycle';
import { describe, ec2Arn, taggedRequest, taggedResource, Wide, type Permission } from './permission';

// What failback and repair add to the functions of a run: they act on machines in the source Region.

/** Marks of what was replaced, and nothing else. */
const MARKS = [Tag.PROJECT, Tag.REPLACED_BY, Tag.EXPIRES_AT];

export function sourceCheck(context: ProjectContext): Permission[] {
  return [describe(['DescribeInstanceStatus'], [context.sourceRegion])];
}

export function sourceFinish(context: ProjectContext): Permission[] {
  return [
    describe(['DescribeImages'], [context.sourceRegion]),
    { actions: ['ec2:DeregisterImage'], resources: [ec2Arn(context, context.sourceRegion, 'image')], conditions: { StringEquals: taggedResource(context) }, wide: Wide.OWN_TAG },
  ];
}

/** New machines, where the one that was there is gone, and new disks. */
export function sourceLaunch(context: ProjectContext, keys: readonly VolumeKeyBinding[]): Permission[] {
  const arn = (type: string): string => ec2Arn(context, context.sourceRegion, type);
  const machines = [arn('instance'), arn('volume'), arn('network-interface')];
  const own = { conditions: { StringEquals: taggedResource(context) }, wide: Wide.OWN_TAG };
  const requested = { conditions: { StringEquals: taggedRequest(context) }, wide: Wide.OWN_TAG };
  const onCreate = { 'ec2:CreateAction': ['RunInstances', 'RegisterImage', 'CreateVolume'], ...taggedRequest(context) };
  const marks = { 'ForAllValues:StringEquals': { 'aws:TagKeys': MARKS }, StringEquals: taggedRequest(context) };
  return [
    describe(['DescribeImages', 'DescribeInstances', 'DescribeVolumes'], [context.sourceRegion]),
    { actions: ['ec2:RegisterImage'], resources: [arn('image')], ...requested },
    { actions: ['ec2:RegisterImage', 'ec2:RunInstances', 'ec2:CreateVolume'], resources: [arn('snapshot')], ...own },
    { actions: ['ec2:DeregisterImage', 'ec2:RunInstances'], resources: [arn('image')], ...own },
    { actions: ['ec2:RunInstances'], resources: machines, ...requested },
    {
      actions: ['ec2:RunInstances'], resources: [arn('subnet'), arn('security-group'), arn('key-pair')],
      conditions: { StringEquals: { 'aws:RequestedRegion': context.sourceRegion } }, wide: Wide.PLACES_BEFORE,
    },
    { actions: ['ec2:CreateVolume'], resources: [arn('volume')], ...requested },
    { actions: ['ec2:CreateTags'], resources: [...machines, arn('image')], conditions: { StringEquals: onCreate }, wide: Wide.OWN_TAG },
    { actions: ['ec2:CreateTags'], resources: [arn('volume')], conditions: marks, wide: Wide.MARKS },
    // EC2 judges the machine, too, which is bound by the tags of its endpoint: these are its disks.
    { actions: ['ec2:AttachVolume', 'ec2:DetachVolume'], resources: [arn('volume')], wide: Wide.DISKS_OF_OWN },
    ...keys.flatMap((key) => useReturnKey(context, key)),
  ];
}

/** The acts on the machines of an endpoint, by the tags by which it finds them. @param tags condition values by tag key */
export function sourceMachines(context: ProjectContext, tags: Readonly<Record<string, unknown>>): Permission {
  return {
    actions: ['ec2:AttachVolume', 'ec2:DetachVolume', 'ec2:StartInstances', 'ec2:ModifyInstanceAttribute'],
    resources: [ec2Arn(context, context.sourceRegion, 'instance')],
    conditions: { StringEquals: Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value])) },
    wide: Wide.ENDPOINT_TAG,
  };
}

/** Removes what was replaced, once it is not kept any more. Both Regions: recovered machines are replaced by a failback. */
export function removeReplaced(context: ProjectContext): Permission[] {
  const regions = [context.sourceRegion, context.recoveryRegion];
  const conditions = { StringEquals: taggedResource(context), Null: { [`aws:ResourceTag/${Tag.REPLACED_BY}`]: 'false' } };
  const of = (type: string): string[] => regions.map((region) => ec2Arn(context, region, type));
  return [
    describe(['DescribeInstances', 'DescribeVolumes'], [context.sourceRegion]),
    { actions: ['ec2:TerminateInstances'], resources: of('instance'), conditions, wide: Wide.OWN_TAG },
    { actions: ['ec2:DeleteVolume'], resources: of('volume'), conditions, wide: Wide.OWN_TAG },
  ];
}

/** Removes disks that a failback made and did not use. */
export function sweepVolumes(context: ProjectContext): Permission[] {
  const conditions = { StringEquals: { ...taggedResource(context), [`aws:ResourceTag/${Tag.MODE}`]: 'failback' } };
  return [
    describe(['DescribeVolumes'], [context.sourceRegion]),
    { actions: ['ec2:DeleteVolume'], resources: [ec2Arn(context, context.sourceRegion, 'volume')], conditions, wide: Wide.OWN_TAG },
  ];
}
