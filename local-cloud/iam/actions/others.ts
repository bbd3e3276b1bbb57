import type { ApiCall } from '../../gateway/call';
import { keyRequirements } from './ebs-keys';
import {
  NEW_ID, list, onEverything, record, requestTags, resourceTags, text, type ActionContext, type ActionTable, type Requirement, type Requirements,
} from '../requirement';

const arn = (service: string, call: ApiCall, context: ActionContext, rest: string): string => `arn:aws:${service}:${call.region}:${context.account}:${rest}`;

const roleArn = async (context: ActionContext, name: string): Promise<string> => await context.lookup.roleArn(name) ?? `arn:aws:iam::${context.account}:role/${name}`;

/** Who hands a role to a service must be allowed to. */
const passRole = (role: string, service: string): Requirement[] => (role ? [{ action: 'iam:PassRole', resource: role, context: { 'iam:PassedToService': service } }] : []);

const onRole: Requirements = async (call, context) => [{ action: `iam:${call.operation}`, resource: await roleArn(context, call.form.get('RoleName') ?? ''), context: {} }];

/** Service Authorization Reference, "… AWS Identity and Access Management". */
export const IAM: ActionTable = {
  GetInstanceProfile: async (call, context) => {
    const name = call.form.get('InstanceProfileName') ?? '';
    const resource = (await context.lookup.instanceProfile(name))?.arn ?? `arn:aws:iam::${context.account}:instance-profile/${name}`;
    return [{ action: 'iam:GetInstanceProfile', resource, context: {} }];
  },
  GetRole: onRole,
  GetRolePolicy: onRole,
  PutRolePolicy: onRole,
  DeleteRolePolicy: onRole,
};

/** Service Authorization Reference, "… AWS Security Token Service". Nobody needs a permission to ask who they are. */
export const STS: ActionTable = {
  GetCallerIdentity: () => [],
  AssumeRole: (call) => [{
    action: 'sts:AssumeRole', resource: call.form.get('RoleArn') ?? '', context: { 'sts:RoleSessionName': call.form.get('RoleSessionName') ?? '' },
  }],
};

const putEvents: Requirements = async (call, context) => {
  const needed = new Map<string, Requirement>();
  for (const entry of list(call.json.Entries).map(record)) {
    const bus = text(entry.EventBusName) || 'default';
    const resource = bus.startsWith('arn:') ? bus : arn('events', call, context, `event-bus/${bus}`);
    const resourcePolicy = await context.lookup.busPolicy(call.region, bus);
    const facts = { 'events:source': text(entry.Source), 'events:detail-type': text(entry.DetailType), 'events:eventBusInvocation': 'false' };
    needed.set(`${resource} ${facts['events:source']} ${facts['events:detail-type']}`, { action: 'events:PutEvents', resource, context: facts, ...(resourcePolicy ? { resourcePolicy } : {}) });
  }
  return [...needed.values()];
};

/** Service Authorization Reference, "… Amazon EventBridge". */
export const EVENTS: ActionTable = { PutEvents: putEvents };

const onSchedule: Requirements = (call, context) => {
  const name = decodeURIComponent(call.url.pathname.split('/')[2] ?? '');
  const group = call.url.searchParams.get('groupName') ?? (text(call.json.GroupName) || 'default');
  const passed = text(record(call.json.Target).RoleArn);
  return [
    { action: `scheduler:${call.operation}`, resource: arn('scheduler', call, context, `schedule/${group}/${name}`), context: {} },
    ...passRole(passed, 'scheduler.amazonaws.com'),
  ];
};

/** Service Authorization Reference, "… Amazon EventBridge Scheduler". */
export const SCHEDULER: ActionTable = {
  ListSchedules: onEverything('scheduler'),
  GetSchedule: onSchedule,
  CreateSchedule: onSchedule,
  UpdateSchedule: onSchedule,
  DeleteSchedule: onSchedule,
};

/** Service Authorization Reference, "… Amazon SNS". The query protocol and the JSON one name the topic alike. */
export const SNS: ActionTable = {
  Publish: (call) => [{ action: 'sns:Publish', resource: call.form.get('TopicArn') ?? text(call.json.TopicArn), context: {} }],
};

/** Service Authorization Reference, "… Amazon CloudWatch". */
export const CLOUDWATCH: ActionTable = {
  PutMetricData: (call) => [{
    action: 'cloudwatch:PutMetricData', resource: '*', context: { 'cloudwatch:namespace': call.form.get('Namespace') ?? text(call.json.Namespace) },
  }],
  GetMetricData: onEverything('cloudwatch'),
  DescribeAlarms: onEverything('cloudwatch'),
};

const logGroup = (call: ApiCall, context: ActionContext): string => arn('logs', call, context, `log-group:${text(call.json.logGroupName)}`);
const onLogStream: Requirements = (call, context) => [{
  action: `logs:${call.operation}`, resource: `${logGroup(call, context)}:log-stream:${text(call.json.logStreamName)}`, context: {},
}];

/** Service Authorization Reference, "… Amazon CloudWatch Logs". */
export const LOGS: ActionTable = {
  CreateLogGroup: (call, context) => [{ action: 'logs:CreateLogGroup', resource: logGroup(call, context), context: {} }],
  CreateLogStream: onLogStream,
  PutLogEvents: onLogStream,
};

/** A key's policy must let the account's policies decide; without that an identity's policy counts for nothing. */
const onKey: Requirements = async (call, context) => {
  const keyId = text(call.json.KeyId);
  const key = await context.lookup.kmsKey(call.region, keyId);
  const resource = key?.arn ?? (keyId.startsWith('arn:') ? keyId : arn('kms', call, context, `key/${keyId}`));
  return [{ action: `kms:${call.operation}`, resource, context: { 'kms:CallerAccount': context.account }, ...(key?.policy ? { resourcePolicy: key.policy } : {}) }];
};

/** Service Authorization Reference, "… AWS Key Management Service". */
export const KMS: ActionTable = {
  DescribeKey: onKey, Encrypt: onKey, Decrypt: onKey, GenerateDataKey: onKey, GenerateDataKeyWithoutPlaintext: onKey, CreateGrant: onKey, Sign: onKey, Verify: onKey,
};

/** The EBS direct APIs name a snapshot in the path, without an account in its ARN. */
const onBlocksOf: Requirements = async (call, context) => {
  const parts = call.url.pathname.split('/');
  const id = parts[2] === 'completion' ? parts[3] ?? '' : parts[2] ?? '';
  const tags = resourceTags('ebs', await context.lookup.ec2Tags(call.region, id));
  return [{ action: `ebs:${call.operation}`, resource: `arn:aws:ec2:${call.region}::snapshot/${id}`, context: tags }];
};

/** What is encrypted is read with its key, in the caller's name: without it the answer is `DEPENDENCY_ACCESS_DENIED` (EBS direct APIs reference, AccessDeniedException). */
const readBlock: Requirements = async (call, context) => {
  const key = await context.lookup.snapshotKey(call.region, call.url.pathname.split('/')[2] ?? '');
  return [...await onBlocksOf(call, context), ...(key === undefined ? [] : await keyRequirements(context, call.region, key, ['Decrypt']))];
};

const startSnapshot: Requirements = (call) => {
  const tags = new Map(list(call.json.Tags).map(record).map(({ Key, Value }) => [text(Key), text(Value)]));
  return [{ action: 'ebs:StartSnapshot', resource: `arn:aws:ec2:${call.region}::snapshot/${text(call.json.ParentSnapshotId) || NEW_ID}`, context: requestTags(tags) }];
};

/** Service Authorization Reference, "… Amazon Elastic Block Store". */
export const EBS: ActionTable = {
  StartSnapshot: startSnapshot,
  CompleteSnapshot: onBlocksOf,
  PutSnapshotBlock: onBlocksOf,
  GetSnapshotBlock: readBlock,
  ListSnapshotBlocks: onBlocksOf,
  ListChangedBlocks: onBlocksOf,
};
