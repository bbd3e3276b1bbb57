import {
  ChangeResourceRecordSetsCommand, GetChangeCommand, ListResourceRecordSetsCommand, Route53Client, type ChangeAction, type ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import { resolveAddress, type RecordCutoverConfig } from '../../core/cutover';
import { clientSettings } from '../../runtime/clients';
import { RefusedCall, refusing } from '../errors';
import type { CutoverContext, CutoverKind, CutoverVerdict } from '../ports/cutover';

type Context = CutoverContext<RecordCutoverConfig>;

/** The record set as it was; absent when there was none. */
interface Before {
  readonly record?: ResourceRecordSet;
}

/** A simple record set in Route 53. Its control plane is in one Region for the whole partition: us-east-1 for `aws`. */
export class RecordCutover implements CutoverKind<RecordCutoverConfig> {
  private readonly client: Route53Client;

  constructor(recoveryRegion: string) {
    this.client = new Route53Client(clientSettings(controlPlaneOf(recoveryRegion)));
  }

  async before({ config }: Context): Promise<Before> {
    const record = await this.current(config);
    if (record?.SetIdentifier !== undefined) {
      throw new RefusedCall('ListResourceRecordSets', 'invalid', 'RoutingPolicy', `${config.recordName} has a routing policy (${record.SetIdentifier}); only simple records can be changed. Use a health check or ARC for it.`);
    }
    return { record };
  }

  async apply(context: Context): Promise<string | undefined> {
    return this.change(context, 'UPSERT', wantedRecord(context));
  }

  async verify(context: Context, _before: unknown, handle: string | undefined): Promise<CutoverVerdict> {
    if (handle !== undefined) {
      const { ChangeInfo } = await refusing('GetChange', () => this.client.send(new GetChangeCommand({ Id: handle })));
      if (ChangeInfo?.Status !== 'INSYNC') return { done: false, detail: `change ${handle} is ${ChangeInfo?.Status ?? 'unknown'}` };
    }
    const [current, wanted] = [await this.current(context.config), wantedRecord(context)];
    return { done: same(current, wanted), detail: `${context.config.recordName} ${context.config.recordType} is ${shown(current)}` };
  }

  /** What somebody else has put there meanwhile is left alone. */
  async rollBack(context: Context, before: unknown): Promise<CutoverVerdict> {
    const { record } = before as Before;
    const current = await this.current(context.config);
    if (same(current, record)) return { done: true, detail: `${context.config.recordName} is ${shown(record)}` };
    if (current === undefined || !same(current, wantedRecord(context))) {
      throw new RefusedCall('ChangeResourceRecordSets', 'invalid', 'ChangedByOthers', `${context.config.recordName} was changed by somebody else to ${shown(current)}; it was ${shown(record)}`);
    }
    await (record === undefined ? this.change(context, 'DELETE', current) : this.change(context, 'UPSERT', record));
    return { done: true, detail: `${context.config.recordName} back to ${shown(record)}` };
  }

  private async change({ config, runId }: Context, Action: ChangeAction, ResourceRecordSet: ResourceRecordSet): Promise<string | undefined> {
    const answer = await refusing('ChangeResourceRecordSets', () => this.client.send(new ChangeResourceRecordSetsCommand({
      HostedZoneId: config.hostedZoneId,
      ChangeBatch: { Comment: `disaster recovery run ${runId}`, Changes: [{ Action, ResourceRecordSet }] },
    })));
    return answer.ChangeInfo?.Id?.replace(/^\/change\//, '');
  }

  /** The listing starts at the name asked for and goes on to what follows it. */
  private async current({ hostedZoneId, recordName, recordType }: RecordCutoverConfig): Promise<ResourceRecordSet | undefined> {
    const answer = await refusing('ListResourceRecordSets', () => this.client.send(new ListResourceRecordSetsCommand({
      HostedZoneId: hostedZoneId, StartRecordName: recordName, StartRecordType: recordType, MaxItems: 1,
    })));
    return (answer.ResourceRecordSets ?? []).find(({ Name, Type }) => normal(Name) === recordName && Type === recordType);
  }
}

function wantedRecord({ config, machines }: Context): ResourceRecordSet {
  const { recordName: Name, recordType: Type, ttlSeconds, values = [], alias } = config;
  if (alias !== undefined) return { Name, Type, AliasTarget: { HostedZoneId: alias.hostedZoneId, DNSName: alias.dnsName, EvaluateTargetHealth: false } };
  return { Name, Type, TTL: ttlSeconds, ResourceRecords: values.flatMap((value) => resolveAddress(value, machines, 'privateIp')).map((Value) => ({ Value })) };
}

function same(a: ResourceRecordSet | undefined, b: ResourceRecordSet | undefined): boolean {
  return JSON.stringify(essence(a)) === JSON.stringify(essence(b));
}

function essence(record: ResourceRecordSet | undefined): unknown {
  if (record === undefined) return null;
  const alias = record.AliasTarget;
  return alias === undefined ? [record.TTL ?? 0, ...valuesOf(record)] : [alias.HostedZoneId, normal(alias.DNSName)];
}

function valuesOf({ ResourceRecords = [] }: ResourceRecordSet): string[] {
  return ResourceRecords.map(({ Value = '' }) => Value).sort();
}

function shown(record: ResourceRecordSet | undefined): string {
  if (record === undefined) return 'absent';
  return record.AliasTarget === undefined ? `${valuesOf(record).join(', ')} (TTL ${record.TTL ?? 0} s)` : `an alias of ${normal(record.AliasTarget.DNSName)}`;
}

function normal(name = ''): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** Route 53 developer guide, "Resilience": each partition's control plane is in one Region. */
export function controlPlaneOf(region: string): string {
  if (region.startsWith('cn-')) return 'cn-northwest-1';
  return region.startsWith('us-gov-') ? 'us-gov-west-1' : 'us-east-1';
}
