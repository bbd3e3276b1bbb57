import {
  DescribeImagesCommand, DescribeNetworkInterfacesCommand, DescribeSnapshotsCommand, DescribeTagsCommand, DescribeVolumesCommand,
} from '@aws-sdk/client-ec2';
import { GetInstanceProfileCommand, GetRoleCommand } from '@aws-sdk/client-iam';
import type { InnerClients } from '../process/clients';
import { parsePolicy } from './role-policies';
import type { PolicyDocument } from './requirement';
import { list, record, text } from './requirement';

/** What `Lookup` asks: kept for the checks of the next calls, until a call to the same service may have changed it. */
type Source = 'ec2' | 'iam' | 'kms' | 'lambda' | 'events' | 'states';

/** A bound for what changes without a call. */
const KEEP_MS = 2000;
const KEEP_ENTRIES = 10_000;

const NO_TAGS: ReadonlyMap<string, string> = new Map();

export interface InstanceProfile { readonly arn: string; readonly roleArn?: string }
export interface Key { readonly arn: string; readonly policy?: PolicyDocument }

/** What decisions depend on besides policies: tags, keys, attachments, resource policies. Asked of the emulator past the gateway. */
export class Lookup {
  private readonly kept = new Map<string, { readonly until: number; readonly value: Promise<unknown> }>();
  private readonly wantedTags = new Map<string, Promise<ReadonlyMap<string, ReadonlyMap<string, string>>>>();
  private readonly wantedIds = new Map<string, Set<string>>();

  public constructor(private readonly clients: InnerClients) {}

  /** Called when a service was changed, or, by CloudFormation, any of them. */
  public invalidate(service?: string): void {
    if (service === undefined) this.kept.clear();
    else for (const key of this.kept.keys()) if (key.startsWith(`${service} `)) this.kept.delete(key);
  }

  public ec2Tags(region: string, id: string): Promise<ReadonlyMap<string, string>> {
    return this.keep('ec2', `tags ${region} ${id}`, NO_TAGS, async () => (await this.tagsTogether(region, id)).get(id) ?? NO_TAGS);
  }

  public volumesOf(region: string, instanceId: string): Promise<readonly string[]> {
    return this.keep<readonly string[]>('ec2', `volumes ${region} ${instanceId}`, [], async () => {
      const filter = { Filters: [{ Name: 'attachment.instance-id', Values: [instanceId] }] };
      const { Volumes } = await this.clients.ec2(region).send(new DescribeVolumesCommand(filter));
      return (Volumes ?? []).map(({ VolumeId = '', Tags }) => {
        // Their tags are asked for next.
        void this.keep('ec2', `tags ${region} ${VolumeId}`, NO_TAGS, () => Promise.resolve(tagMap(Tags)));
        return VolumeId;
      });
    });
  }

  /** What an attachment of a network interface joins. */
  public attachmentOf(region: string, attachmentId: string): Promise<{ readonly networkInterfaceId: string; readonly instanceId: string } | undefined> {
    return this.keep<{ readonly networkInterfaceId: string; readonly instanceId: string } | undefined>('ec2', `attachment ${region} ${attachmentId}`, undefined, async () => {
      const { NetworkInterfaces } = await this.clients.ec2(region).send(new DescribeNetworkInterfacesCommand({}));
      const found = NetworkInterfaces?.find(({ Attachment }) => Attachment?.AttachmentId === attachmentId);
      return found && { networkInterfaceId: found.NetworkInterfaceId ?? '', instanceId: found.Attachment?.InstanceId ?? '' };
    });
  }

  public volumeKey(region: string, volumeId: string): Promise<string | undefined> {
    return this.keep<string | undefined>('ec2', `volume-key ${region} ${volumeId}`, undefined, async () => {
      const { Volumes } = await this.clients.ec2(region).send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }));
      return Volumes?.[0]?.Encrypted ? Volumes[0].KmsKeyId : undefined;
    });
  }

  public snapshotKey(region: string, snapshotId: string): Promise<string | undefined> {
    return this.keep<string | undefined>('ec2', `snapshot-key ${region} ${snapshotId}`, undefined, async () => {
      const { Snapshots } = await this.clients.ec2(region).send(new DescribeSnapshotsCommand({ SnapshotIds: [snapshotId] }));
      return Snapshots?.[0]?.Encrypted ? Snapshots[0].KmsKeyId : undefined;
    });
  }

  public imageSnapshots(region: string, imageId: string): Promise<readonly string[]> {
    return this.keep<readonly string[]>('ec2', `image ${region} ${imageId}`, [], async () => {
      const { Images } = await this.clients.ec2(region).send(new DescribeImagesCommand({ ImageIds: [imageId] }));
      return (Images?.[0]?.BlockDeviceMappings ?? []).flatMap(({ Ebs }) => (Ebs?.SnapshotId ? [Ebs.SnapshotId] : []));
    });
  }

  public instanceProfile(nameOrArn: string): Promise<InstanceProfile | undefined> {
    const InstanceProfileName = nameOrArn.split('/').at(-1) ?? nameOrArn;
    return this.keep<InstanceProfile | undefined>('iam', `profile ${InstanceProfileName}`, undefined, async () => {
      const { InstanceProfile } = await this.clients.iam.send(new GetInstanceProfileCommand({ InstanceProfileName }));
      const roleArn = InstanceProfile?.Roles?.[0]?.Arn;
      return InstanceProfile?.Arn ? { arn: InstanceProfile.Arn, ...(roleArn ? { roleArn } : {}) } : undefined;
    });
  }

  public roleArn(RoleName: string): Promise<string | undefined> {
    return this.keep<string | undefined>('iam', `role ${RoleName}`, undefined, async () => (await this.clients.iam.send(new GetRoleCommand({ RoleName }))).Role?.Arn);
  }

  /** Whether it is the key that AWS manages for EBS, by whatever name: volumes carry its ARN, not its alias. */
  public async isManagedEbsKey(region: string, arn: string): Promise<boolean> {
    return (await this.kmsKey(region, 'alias/aws/ebs'))?.arn === arn;
  }

  /** The key's ARN, whatever names it, and its policy. */
  public kmsKey(region: string, keyId: string): Promise<Key | undefined> {
    return this.keep<Key | undefined>('kms', `key ${region} ${keyId}`, undefined, async () => {
      const described = record(await this.clients.call('kms', region, 'POST', '/', { KeyId: keyId }, 'TrentService.DescribeKey'));
      const arn = text(record(described.KeyMetadata).Arn);
      const found = record(await this.clients.call('kms', region, 'POST', '/', { KeyId: arn, PolicyName: 'default' }, 'TrentService.GetKeyPolicy'));
      return { arn, policy: parsePolicy(text(found.Policy)) };
    });
  }

  public functionPolicy(region: string, functionArn: string): Promise<PolicyDocument | undefined> {
    return this.keep<PolicyDocument | undefined>('lambda', `function-policy ${region} ${functionArn}`, undefined, async () => {
      const path = `/2015-03-31/functions/${encodeURIComponent(functionArn)}/policy`;
      const policy = text(record(await this.clients.call('lambda', region, 'GET', path)).Policy);
      const parsed = parsePolicy(policy);
      return Array.isArray(parsed.Statement) && parsed.Statement.length > 0 ? parsed : undefined;
    });
  }

  public busPolicy(region: string, name: string): Promise<PolicyDocument | undefined> {
    return this.keep<PolicyDocument | undefined>('events', `bus-policy ${region} ${name}`, undefined, async () => {
      const policy = text(record(await this.clients.call('events', region, 'POST', '/', { Name: name }, 'AWSEvents.DescribeEventBus')).Policy);
      return policy ? parsePolicy(policy) : undefined;
    });
  }

  /** The state machine that has this role. */
  public stateMachineOf(regions: readonly string[], roleArn: string): Promise<string | undefined> {
    return this.keep<string | undefined>('states', `state-machine ${roleArn}`, undefined, async () => {
      for (const region of regions) {
        const ask = async (operation: string, body: object): Promise<Record<string, unknown>> =>
          record(await this.clients.call('states', region, 'POST', '/', body, `AWSStepFunctions.${operation}`));
        for (const { stateMachineArn } of list((await ask('ListStateMachines', {})).stateMachines).map(record)) {
          if ((await ask('DescribeStateMachine', { stateMachineArn })).roleArn === roleArn) return text(stateMachineArn);
        }
      }
      return undefined;
    });
  }

  /** One question for the tags of all that is asked for at the same time. */
  private tagsTogether(region: string, id: string): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const ids = this.wantedIds.get(region) ?? new Set();
    this.wantedIds.set(region, ids.add(id));
    const asking = this.wantedTags.get(region) ?? Promise.resolve().then(async () => {
      this.wantedTags.delete(region);
      this.wantedIds.delete(region);
      const { Tags } = await this.clients.ec2(region).send(new DescribeTagsCommand({ Filters: [{ Name: 'resource-id', Values: [...ids] }] }));
      return new Map([...ids].map((one) => [one, tagMap(Tags?.filter(({ ResourceId }) => ResourceId === one))]));
    });
    this.wantedTags.set(region, asking);
    return asking;
  }

  /** What does not exist has neither tags nor policies; the call itself will say so. */
  private keep<T>(source: Source, what: string, absent: T, ask: () => Promise<T>): Promise<T> {
    const key = `${source} ${what}`;
    const known = this.kept.get(key);
    if (known && known.until > Date.now()) return known.value as Promise<T>;
    if (this.kept.size > KEEP_ENTRIES) this.kept.clear();
    const value = ask().catch(() => absent);
    this.kept.set(key, { until: Date.now() + KEEP_MS, value });
    return value;
  }
}

function tagMap(tags: readonly { readonly Key?: string; readonly Value?: string }[] = []): ReadonlyMap<string, string> {
  return new Map(tags.map(({ Key = '', Value = '' }) => [Key, Value]));
}
