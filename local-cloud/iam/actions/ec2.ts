import type { ApiCall } from '../../gateway/call';
import { onEverything, requestTags, type ActionContext, type ActionTable, type Requirement, type Requirements } from '../requirement';
import { DECRYPT_WITH, ENCRYPT_WITH, USE_VOLUME, keyRequirements, volumeKeys } from './ebs-keys';
import { runInstances } from './ec2-run-instances';
import { Ec2Requirements, ec2Arn, members, numbered, plainTags, tagSpecifications, typeOfId } from './ec2-request';

const start = (call: ApiCall, context: ActionContext): Ec2Requirements => new Ec2Requirements(call, context);

/** Permission on the resources that a list parameter names. */
function onEach(type: string, parameter: string): Requirements {
  return async (call, context) => (await start(call, context).each(type, [...numbered(call.form, parameter), ...one(call, parameter)])).found;
}

function one(call: ApiCall, parameter: string): string[] {
  const value = call.form.get(parameter);
  return value ? [value] : [];
}

const createSnapshots: Requirements = async (call, context) => {
  const instanceId = call.form.get('InstanceSpecification.InstanceId') ?? '';
  const excluded = new Set(numbered(call.form, 'InstanceSpecification.ExcludeDataVolumeId'));
  const requirements = start(call, context);
  const [attached] = await Promise.all([context.lookup.volumesOf(call.region, instanceId), requirements.existing('instance', instanceId)]);
  await requirements.each('volume', attached.filter((id) => !excluded.has(id)));
  return requirements.created('snapshot').tagging().found;
};

const createSnapshot: Requirements = async (call, context) => {
  const requirements = await start(call, context).existing('volume', call.form.get('VolumeId') ?? '');
  return requirements.created('snapshot', { 'ec2:ParentVolume': call.form.get('VolumeId') ?? '' }).tagging().found;
};

/** The source (`snapshot/snap-…`) and the copy (a new snapshot) are both checked since 2025. */
const copySnapshot: Requirements = async (call, context) => {
  const source = call.form.get('SourceSnapshotId') ?? '';
  const sourceRegion = call.form.get('SourceRegion') ?? call.region;
  const sourceKey = await context.lookup.snapshotKey(sourceRegion, source);
  const encrypted = sourceKey !== undefined || call.form.get('Encrypted') === 'true';
  const facts = { 'ec2:SnapshotID': source, 'ec2:Encrypted': String(sourceKey !== undefined), ...requestTags(tagSpecifications(call.form).get('snapshot') ?? new Map<string, string>()) };
  // The reference lists no resource tags for CopySnapshot, so what is copied is judged without them.
  const requirements = start(call, context).add('ec2:CopySnapshot', ec2Arn(sourceRegion, context.account, 'snapshot', source), facts, sourceRegion);
  requirements.created('snapshot', { 'ec2:ParentSnapshot': source, 'ec2:Encrypted': String(encrypted) }).tagging();
  const targetKey = encrypted ? call.form.get('KmsKeyId') ?? undefined : undefined;
  return [
    ...requirements.found,
    ...(sourceKey ? await keyRequirements(context, sourceRegion, sourceKey, DECRYPT_WITH) : []),
    ...(targetKey ? await keyRequirements(context, call.region, targetKey, ENCRYPT_WITH) : []),
  ];
};

const registerImage: Requirements = async (call, context) => {
  const snapshots = members(call.form, 'BlockDeviceMapping', 'Ebs.SnapshotId');
  return (await start(call, context).created('image').tagging().each('snapshot', snapshots)).found;
};

const createVolume: Requirements = async (call, context) => {
  const snapshotId = call.form.get('SnapshotId') ?? undefined;
  const requirements = start(call, context).created('volume', snapshotId ? { 'ec2:ParentSnapshot': snapshotId } : {}).tagging();
  if (snapshotId) await requirements.existing('snapshot', snapshotId);
  return [...requirements.found, ...await volumeKeys(context, call.region, snapshotId, call.form.get('KmsKeyId') ?? undefined)];
};

const attachVolume: Requirements = async (call, context) => {
  const volumeId = call.form.get('VolumeId') ?? '';
  const requirements = await start(call, context).existing('instance', call.form.get('InstanceId') ?? '');
  await requirements.existing('volume', volumeId);
  const key = await context.lookup.volumeKey(call.region, volumeId);
  return [...requirements.found, ...(key ? await keyRequirements(context, call.region, key, USE_VOLUME) : [])];
};

const detachVolume: Requirements = async (call, context) => {
  const requirements = await start(call, context).existing('volume', call.form.get('VolumeId') ?? '');
  return (await requirements.each('instance', one(call, 'InstanceId'))).found;
};

const startInstances: Requirements = async (call, context) => {
  const instances = numbered(call.form, 'InstanceId');
  const volumes = (await Promise.all(instances.map((id) => context.lookup.volumesOf(call.region, id)))).flat();
  const keys = new Set(await Promise.all(volumes.map((id) => context.lookup.volumeKey(call.region, id))));
  const grants: Requirement[] = [];
  for (const key of keys) if (key) grants.push(...await keyRequirements(context, call.region, key, USE_VOLUME));
  return [...(await start(call, context).each('instance', instances)).found, ...grants];
};

const changeTags: Requirements = async (call, context) => {
  const requirements = start(call, context);
  const given = requestTags(plainTags(call.form));
  await Promise.all(numbered(call.form, 'ResourceId').map((id) => requirements.existing(typeOfId(id), id, given)));
  return requirements.found;
};

const replaceRootVolume: Requirements = async (call, context) => {
  const snapshotId = call.form.get('SnapshotId') ?? undefined;
  const requirements = await start(call, context).created('replace-root-volume-task').created('volume').tagging()
    .existing('instance', call.form.get('InstanceId') ?? '');
  await requirements.each('snapshot', snapshotId ? [snapshotId] : []);
  await requirements.each('image', one(call, 'ImageId'));
  return [...requirements.found, ...await volumeKeys(context, call.region, snapshotId, undefined)];
};

/** Who gives a machine other security groups needs the permission on those, too. */
const modifyInstance: Requirements = async (call, context) => {
  const requirements = await start(call, context).each('instance', one(call, 'InstanceId'));
  return (await requirements.each('security-group', numbered(call.form, 'GroupId'))).found;
};

/** The machine's interface is judged where the reference lists it as optional: it has no tags in a request. */
const associateAddress: Requirements = async (call, context) => {
  const requirements = await start(call, context).existing('elastic-ip', call.form.get('AllocationId') ?? '');
  return (await requirements.each('instance', one(call, 'InstanceId'))).found;
};

const moveInterface: Requirements = async (call, context) => {
  const requirements = await start(call, context).existing('network-interface', call.form.get('NetworkInterfaceId') ?? '');
  return (await requirements.each('instance', one(call, 'InstanceId'))).found;
};

/** Names an attachment only; which interface and machine it is of, EC2 knows. */
const detachInterface: Requirements = async (call, context) => {
  const attachment = await context.lookup.attachmentOf(call.region, call.form.get('AttachmentId') ?? '');
  const requirements = await start(call, context).existing('network-interface', attachment?.networkInterfaceId ?? '');
  return (await requirements.each('instance', attachment ? [attachment.instanceId] : [])).found;
};

const describe = onEverything('ec2');

/** Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2". */
export const EC2: ActionTable = {
  DescribeAddresses: describe,
  DescribeAvailabilityZones: describe,
  DescribeImages: describe,
  DescribeInstanceStatus: describe,
  DescribeInstanceTypeOfferings: describe,
  DescribeInstanceTypes: describe,
  DescribeInstances: describe,
  DescribeNetworkInterfaces: describe,
  DescribeRegions: describe,
  DescribeReplaceRootVolumeTasks: describe,
  DescribeSecurityGroups: describe,
  DescribeSnapshots: describe,
  DescribeSubnets: describe,
  DescribeTags: describe,
  DescribeVolumes: describe,
  DescribeVpcs: describe,
  DescribeInstanceAttribute: onEach('instance', 'InstanceId'),
  GetInstanceUefiData: onEach('instance', 'InstanceId'),
  ModifyInstanceAttribute: modifyInstance,
  RebootInstances: onEach('instance', 'InstanceId'),
  StopInstances: onEach('instance', 'InstanceId'),
  TerminateInstances: onEach('instance', 'InstanceId'),
  DeleteSnapshot: onEach('snapshot', 'SnapshotId'),
  DeleteVolume: onEach('volume', 'VolumeId'),
  DeregisterImage: onEach('image', 'ImageId'),
  AssociateAddress: associateAddress,
  AttachNetworkInterface: moveInterface,
  AttachVolume: attachVolume,
  CopySnapshot: copySnapshot,
  CreateReplaceRootVolumeTask: replaceRootVolume,
  CreateSnapshot: createSnapshot,
  CreateSnapshots: createSnapshots,
  CreateTags: changeTags,
  CreateVolume: createVolume,
  DeleteTags: changeTags,
  DetachNetworkInterface: detachInterface,
  DetachVolume: detachVolume,
  RegisterImage: registerImage,
  RunInstances: runInstances,
  StartInstances: startInstances,
};
