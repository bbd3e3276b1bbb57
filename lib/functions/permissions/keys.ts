import type { ProjectContext } from '../context';
import { one, Wide, type Permission } from './permission';

/** EBS makes disks and copies under a key: it reads and writes data keys in the caller's name, and lives on by a grant. */
export function useTargetKey(context: ProjectContext): Permission[] {
  const via = { 'kms:ViaService': viaEc2(context.recoveryRegion) };
  return [
    {
      actions: ['kms:DescribeKey', 'kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
      resources: [context.key.keyArn],
      conditions: { StringEquals: via },
    },
    { actions: ['kms:CreateGrant'], resources: [context.key.keyArn], conditions: { StringEquals: via, Bool: { 'kms:GrantIsForAWSResource': 'true' } } },
  ];
}

/** A copy is read with the source volume's key. Keys that AWS manages let EC2 use them without a statement here. */
export function readSourceKeys(context: ProjectContext): Permission[] {
  const bindings = context.volumeKeys.map((key) => key._bind());
  const arns = bindings.flatMap(({ arn }) => (arn === undefined ? [] : [arn]));
  const aliases = bindings.flatMap(({ alias }) => (alias === undefined ? [] : [alias]));
  const anyKey = `arn:${context.partition}:kms:${context.sourceRegion}:${context.account}:key/*`;
  return [
    ...(arns.length > 0 ? sourceStatements(context, arns, {}) : []),
    ...(aliases.length > 0 ? sourceStatements(context, [anyKey], { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': one(aliases) } }, Wide.KEY_BY_ALIAS) : []),
  ];
}

function sourceStatements(
  context: ProjectContext, resources: readonly string[], conditions: Record<string, Record<string, unknown>>, wide?: string,
): Permission[] {
  // The copy runs in the recovery Region and reads in the source Region: either may show as the calling service.
  const via = { 'kms:ViaService': [viaEc2(context.sourceRegion), viaEc2(context.recoveryRegion)] };
  return [
    { actions: ['kms:DescribeKey', 'kms:Decrypt', 'kms:ReEncryptFrom'], resources, conditions: { ...conditions, StringEquals: via }, wide },
    { actions: ['kms:CreateGrant'], resources, conditions: { ...conditions, StringEquals: via, Bool: { 'kms:GrantIsForAWSResource': 'true' } }, wide },
  ];
}

function viaEc2(region: string): string {
  return `ec2.${region}.amazonaws.com`;
}
