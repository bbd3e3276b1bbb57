import type { ApiCall } from '../../gateway/call';
import { NEW_ID, requestTags, resourceTags, type ActionContext, type Requirement } from '../requirement';

/** A numbered list of the EC2 query protocol: `InstanceId.1=…&InstanceId.2=…`. */
export function numbered(form: URLSearchParams, name: string): string[] {
  const values: string[] = [];
  for (let index = 1; ; index += 1) {
    const value = form.get(`${name}.${index}`);
    if (value === null) return values;
    values.push(value);
  }
}

/** A member of each structure in a numbered list, e.g. `BlockDeviceMapping.*.Ebs.SnapshotId`; absent ones are left out. */
export function members(form: URLSearchParams, list: string, member: string): string[] {
  const values: string[] = [];
  const pattern = new RegExp(`^${list}\\.\\d+\\.${member.replaceAll('.', '\\.')}$`);
  for (const [key, value] of form) if (pattern.test(key)) values.push(value);
  return values;
}

function tagsUnder(form: URLSearchParams, prefix: string): Map<string, string> {
  const tags = new Map<string, string>();
  for (let index = 1; form.has(`${prefix}.${index}.Key`); index += 1) {
    tags.set(form.get(`${prefix}.${index}.Key`) ?? '', form.get(`${prefix}.${index}.Value`) ?? '');
  }
  return tags;
}

/** The tags that a request gives to what it creates, by resource type. */
export function tagSpecifications(form: URLSearchParams): Map<string, Map<string, string>> {
  const byType = new Map<string, Map<string, string>>();
  for (let index = 1; form.has(`TagSpecification.${index}.ResourceType`); index += 1) {
    byType.set(form.get(`TagSpecification.${index}.ResourceType`) ?? '', tagsUnder(form, `TagSpecification.${index}.Tag`));
  }
  return byType;
}

export function plainTags(form: URLSearchParams): Map<string, string> {
  return tagsUnder(form, 'Tag');
}

/** Images and snapshots can be shared, so their ARNs carry no account. */
const WITHOUT_ACCOUNT = new Set(['image', 'snapshot']);

export function ec2Arn(region: string, account: string, type: string, id: string): string {
  return `arn:aws:ec2:${region}:${WITHOUT_ACCOUNT.has(type) ? '' : account}:${type}/${id}`;
}

const PREFIX_OF: Readonly<Record<string, string>> = {
  i: 'instance', vol: 'volume', snap: 'snapshot', ami: 'image', eni: 'network-interface', sg: 'security-group', subnet: 'subnet', vpc: 'vpc',
  rtb: 'route-table', lt: 'launch-template', replacevol: 'replace-root-volume-task',
};

export function typeOfId(id: string): string {
  return PREFIX_OF[id.slice(0, id.lastIndexOf('-'))] ?? 'instance';
}

/** Builds the requirements of one EC2 call. */
export class Ec2Requirements {
  public readonly found: Requirement[] = [];

  public constructor(private readonly call: ApiCall, private readonly context: ActionContext) {}

  /** Permission on something that exists: its tags count. */
  public async existing(type: string, id: string, extra: Record<string, string | string[]> = {}, region = this.call.region): Promise<this> {
    const tags = await this.context.lookup.ec2Tags(region, id);
    this.add(`ec2:${this.call.operation}`, ec2Arn(region, this.context.account, type, id), { ...resourceTags('ec2', tags), ...this.owner(type), ...extra }, region);
    return this;
  }

  public async each(type: string, ids: readonly string[]): Promise<this> {
    await Promise.all([...new Set(ids)].map((id) => this.existing(type, id)));
    return this;
  }

  /** Permission on something that the call creates: the tags that it is given count. */
  public created(type: string, extra: Record<string, string | string[]> = {}): this {
    const tags = tagSpecifications(this.call.form).get(type) ?? new Map<string, string>();
    this.add(`ec2:${this.call.operation}`, ec2Arn(this.call.region, this.context.account, type, NEW_ID), { ...requestTags(tags), ...this.owner(type), ...extra });
    return this;
  }

  /** Tagging while creating needs ec2:CreateTags too, with the creating call named in ec2:CreateAction. */
  public tagging(): this {
    for (const [type, tags] of tagSpecifications(this.call.form)) {
      const context = { ...requestTags(tags), 'ec2:CreateAction': this.call.operation };
      this.add('ec2:CreateTags', ec2Arn(this.call.region, this.context.account, type, NEW_ID), context);
    }
    return this;
  }

  public add(action: string, resource: string, context: Record<string, string | string[]>, region = this.call.region): this {
    this.found.push({ action, resource, context: { 'ec2:Region': region, ...context } });
    return this;
  }

  private owner(type: string): Record<string, string> {
    return WITHOUT_ACCOUNT.has(type) ? { 'ec2:Owner': this.context.account } : {};
  }
}
