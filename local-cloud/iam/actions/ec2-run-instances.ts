import type { ApiCall } from '../../gateway/call';
import type { ActionContext, Requirement, Requirements } from '../requirement';
import { keyRequirements, volumeKeys } from './ebs-keys';
import { Ec2Requirements, ec2Arn, members, numbered } from './ec2-request';

/** Every resource that a launch uses or creates is checked, then the role that it passes and the keys of its volumes. */
export const runInstances: Requirements = async (call, context) => {
  const { form, region } = call;
  const subnets = given(form.get('SubnetId'), members(form, 'NetworkInterface', 'SubnetId'));
  const groups = [...numbered(form, 'SecurityGroupId'), ...matching(form, /^NetworkInterface\.\d+\.SecurityGroupId\.\d+$/)];
  const snapshots = members(form, 'BlockDeviceMapping', 'Ebs.SnapshotId');
  const profile = form.get('IamInstanceProfile.Arn') ?? form.get('IamInstanceProfile.Name');
  const passed = profile ? await context.lookup.instanceProfile(profile) : undefined;
  const imageId = form.get('ImageId') ?? '';

  const requirements = new Ec2Requirements(call, context);
  requirements.created('instance', instanceFacts(form, passed?.arn));
  requirements.created('volume', snapshots[0] ? { 'ec2:ParentSnapshot': snapshots[0] } : {});
  requirements.created('network-interface', subnets[0] ? { 'ec2:Subnet': ec2Arn(region, context.account, 'subnet', subnets[0]) } : {});
  requirements.tagging();
  const [keys] = await Promise.all([
    launchKeys(call, context, imageId),
    requirements.existing('image', imageId, { 'ec2:ImageID': imageId }),
    ...[...new Set(subnets)].map((id) => requirements.existing('subnet', id, { 'ec2:SubnetID': id })),
    ...[...new Set(groups)].map((id) => requirements.existing('security-group', id, { 'ec2:SecurityGroupID': id })),
    requirements.each('snapshot', snapshots),
    requirements.each('key-pair', given(form.get('KeyName'))),
    requirements.each('launch-template', given(form.get('LaunchTemplate.LaunchTemplateId'))),
    requirements.each('capacity-reservation', given(form.get('CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId'))),
  ]);
  return [...requirements.found, ...passRole(passed?.roleArn), ...keys];
};

function passRole(roleArn: string | undefined): Requirement[] {
  return roleArn ? [{ action: 'iam:PassRole', resource: roleArn, context: { 'iam:PassedToService': 'ec2.amazonaws.com' } }] : [];
}

function instanceFacts(form: URLSearchParams, profileArn: string | undefined): Record<string, string> {
  const facts: Record<string, string | null | undefined> = {
    'ec2:InstanceType': form.get('InstanceType'),
    'ec2:Tenancy': form.get('Placement.Tenancy') ?? 'default',
    'ec2:MetadataHttpTokens': form.get('MetadataOptions.HttpTokens'),
    'ec2:MetadataHttpPutResponseHopLimit': form.get('MetadataOptions.HttpPutResponseHopLimit'),
    'ec2:EbsOptimized': form.get('EbsOptimized') ?? 'false',
    'ec2:RootDeviceType': 'ebs',
    'ec2:InstanceProfile': profileArn,
  };
  return Object.fromEntries(Object.entries(facts).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/** Each volume's key: given in the mapping, or that of the snapshot, also of those inside the image. */
async function launchKeys(call: ApiCall, context: ActionContext, imageId: string): Promise<Requirement[]> {
  const mapped = new Map<string, { snapshotId?: string; keyId?: string }>();
  for (const [key, value] of call.form) {
    const [, index, member] = /^BlockDeviceMapping\.(\d+)\.Ebs\.(SnapshotId|KmsKeyId)$/.exec(key) ?? [];
    if (index) mapped.set(index, { ...mapped.get(index), [member === 'SnapshotId' ? 'snapshotId' : 'keyId']: value });
  }
  const volumes = [...mapped.values(), ...(await context.lookup.imageSnapshots(call.region, imageId)).map((snapshotId) => ({ snapshotId, keyId: undefined }))];
  const found = new Map<string, Requirement>();
  for (const { snapshotId, keyId } of volumes) {
    const needed = snapshotId || !keyId
      ? await volumeKeys(context, call.region, snapshotId, keyId)
      : await keyRequirements(context, call.region, keyId, ['DescribeKey', 'CreateGrant', 'GenerateDataKeyWithoutPlaintext', 'Decrypt']);
    for (const requirement of needed) found.set(`${requirement.action} ${requirement.resource}`, requirement);
  }
  return [...found.values()];
}

function matching(form: URLSearchParams, pattern: RegExp): string[] {
  return [...form].filter(([key]) => pattern.test(key)).map(([, value]) => value);
}

function given(value: string | null, more: readonly string[] = []): string[] {
  return [...(value ? [value] : []), ...more];
}
