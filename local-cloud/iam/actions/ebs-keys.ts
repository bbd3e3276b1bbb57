import type { ActionContext, Requirement } from '../requirement';

/**
 * The KMS permissions that EBS uses in the caller's name (EBS user guide, "Requirements for Amazon EBS encryption"):
 * the calls come through EC2, and the grant is for an AWS resource.
 */
export async function keyRequirements(
  context: ActionContext, region: string, keyId: string, actions: readonly string[],
): Promise<Requirement[]> {
  const key = await context.lookup.kmsKey(region, keyId);
  // The policy of the AWS managed key aws/ebs allows everybody in the account through EC2.
  if (!key || await context.lookup.isManagedEbsKey(region, key.arn)) return [];
  return actions.map((action): Requirement => ({
    action: `kms:${action}`,
    resource: key.arn,
    context: {
      'kms:ViaService': `ec2.${region}.amazonaws.com`,
      'kms:CallerAccount': context.account,
      'aws:ViaAWSService': 'true',
      ...(action === 'CreateGrant' ? { 'kms:GrantIsForAWSResource': 'true' } : {}),
    },
    ...(key.policy ? { resourcePolicy: key.policy } : {}),
  }));
}

/** To make encrypted data under a key. */
export const ENCRYPT_WITH = ['DescribeKey', 'CreateGrant', 'GenerateDataKeyWithoutPlaintext', 'ReEncryptTo'] as const;
/** To read data that is encrypted under a key. */
export const DECRYPT_WITH = ['DescribeKey', 'CreateGrant', 'Decrypt', 'ReEncryptFrom'] as const;
/** To launch or attach what is encrypted under a key. */
export const USE_VOLUME = ['CreateGrant', 'Decrypt'] as const;

/** A volume from a snapshot: under the snapshot's key, or encrypted again under another one. */
export async function volumeKeys(context: ActionContext, region: string, snapshotId: string | undefined, keyId: string | undefined): Promise<Requirement[]> {
  const from = snapshotId ? await context.lookup.snapshotKey(region, snapshotId) : undefined;
  const to = keyId ?? from;
  if (!to) return [];
  if (!from || sameKey(from, to)) return keyRequirements(context, region, to, ['DescribeKey', 'CreateGrant', 'GenerateDataKeyWithoutPlaintext', 'Decrypt']);
  return [...await keyRequirements(context, region, from, DECRYPT_WITH), ...await keyRequirements(context, region, to, ENCRYPT_WITH)];
}

function sameKey(a: string, b: string): boolean {
  return a.split('/').at(-1) === b.split('/').at(-1);
}
