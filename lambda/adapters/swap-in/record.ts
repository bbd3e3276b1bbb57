import { ChangeResourceRecordSetsCommand, ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import type { SwapInConfig } from '../../core/config';
import { clientSettings } from '../../runtime/clients';
import { controlPlaneOf } from '../cutover/record';
import { RefusedCall, refusing } from '../errors';
import type { SwapContext, SwapInKind, SwapVerdict } from '../ports/repair';

type Config = Extract<SwapInConfig, { kind: 'record' }>;

/** The new machine's private address in the place of the old one's; the other values of the record stay. */
export class RecordSwap implements SwapInKind<Config> {
  private readonly client: Route53Client;

  constructor(region: string) {
    this.client = new Route53Client(clientSettings(controlPlaneOf(region)));
  }

  async advance({ config: { hostedZoneId, recordName, ttlSeconds }, old, fresh, confirm }: SwapContext<Config>): Promise<SwapVerdict> {
    if (fresh.privateIp === undefined) throw new RefusedCall('ChangeResourceRecordSets', 'invalid', 'NoAddress', `${fresh.instanceId} has no private address`);
    const { ResourceRecordSets = [] } = await refusing('ListResourceRecordSets', () => this.client.send(new ListResourceRecordSetsCommand({
      HostedZoneId: hostedZoneId, StartRecordName: recordName, StartRecordType: 'A', MaxItems: 1,
    })));
    const record = ResourceRecordSets.find(({ Name = '', Type }) => Name.toLowerCase().replace(/\.$/, '') === recordName && Type === 'A');
    if (record?.SetIdentifier !== undefined || record?.AliasTarget !== undefined) {
      throw new RefusedCall('ChangeResourceRecordSets', 'invalid', 'NoSimpleRecord', `${recordName} has a routing policy or is an alias; only simple records can be changed`);
    }
    const values = (record?.ResourceRecords ?? []).map(({ Value = '' }) => Value);
    if (values.includes(fresh.privateIp) && (old.privateIp === undefined || !values.includes(old.privateIp))) return { done: true, detail: `${recordName} is ${values.join(', ')}` };
    const next = [...new Set([...values.filter((value) => value !== old.privateIp), fresh.privateIp])].sort();
    await confirm();
    await refusing('ChangeResourceRecordSets', () => this.client.send(new ChangeResourceRecordSetsCommand({
      HostedZoneId: hostedZoneId,
      ChangeBatch: { Changes: [{ Action: 'UPSERT', ResourceRecordSet: { Name: recordName, Type: 'A', TTL: record?.TTL ?? ttlSeconds, ResourceRecords: next.map((Value) => ({ Value })) } }] },
    })));
    return { done: false, detail: `${recordName} is changed to ${next.join(', ')}` };
  }
}
