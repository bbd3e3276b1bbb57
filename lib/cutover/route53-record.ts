import { Token, type Duration } from 'aws-cdk-lib';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import type { RecordCutoverConfig } from '../../lambda/core/cutover';
import type { ProjectContext } from '../functions/context';
import { one, type Permission } from '../functions/permissions/permission';
import { knownSeconds } from '../policies/duration';
import { commonConfig, type BoundCutover, type TrafficCutoverOptions } from './cutover-options';
import { addressConfig, endpointsOf, type RecoveredAddress } from './recovered-address';

/** Something in AWS that a record can be an alias of. */
export interface AliasDestination {
  /** Hosted zone of the destination, e.g. a load balancer's canonical one; not that of the record. */
  readonly hostedZoneId: string;
  readonly dnsName: string;
}

/** Options of a cutover by a record of Route 53. */
export interface Route53RecordOptions extends TrafficCutoverOptions {
  readonly hostedZone: IHostedZone;
  /** The whole name, e.g. `shop.example.com`, as a literal. A record with a routing policy cannot be changed so. */
  readonly recordName: string;
  /** @default 'A' */
  readonly recordType?: 'A' | 'AAAA' | 'CNAME';
  /** What the record is to hold: literals, or the private addresses of what is recovered (type A). @default - `alias` is given */
  readonly values?: (string | RecoveredAddress)[];
  /** What the record is to be an alias of, in place of `values`. @default - `values` are given */
  readonly alias?: AliasDestination;
  /** Whole seconds. @default Duration.minutes(1) */
  readonly ttl?: Duration;
}

const DEFAULT_TTL_SECONDS = 60;
const RECORD_NAME = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

export function bindRecord(context: ProjectContext, options: Route53RecordOptions): BoundCutover {
  const { hostedZone, recordType = 'A', values = [], alias, ttl } = options;
  const recordName = options.recordName.toLowerCase().replace(/\.$/, '');
  const config: RecordCutoverConfig = {
    kind: 'record',
    ...commonConfig(options, recordName.replace(/^\*/, 'wildcard')),
    hostedZoneId: hostedZone.hostedZoneId,
    recordName,
    recordType,
    ...(alias === undefined ? { ttlSeconds: ttl === undefined ? DEFAULT_TTL_SECONDS : knownSeconds('The TTL of a record', ttl), values: values.map(addressConfig) } : { alias }),
  };
  return {
    config,
    permissions: permissions(context, config),
    problems: problems(config, options),
    endpoints: [...options.requires ?? [], ...endpointsOf(values)],
    warning: ['cutoverNeedsUsEast1', `Cutover '${config.name}' changes a record through Route 53's control plane, which is in us-east-1: while that Region is impaired, this traffic cannot be moved. A health check that follows a metric (TrafficCutover.healthCheckMetric) or ARC (TrafficCutover.arcRoutingControl) does not need it.`],
  };
}

function permissions({ partition }: ProjectContext, { hostedZoneId, recordName, recordType }: RecordCutoverConfig): Permission[] {
  const zone = `arn:${partition}:route53:::hostedzone/${hostedZoneId}`;
  return [
    {
      actions: ['route53:ChangeResourceRecordSets'],
      resources: [zone],
      conditions: {
        'ForAllValues:StringEquals': {
          'route53:ChangeResourceRecordSetsNormalizedRecordNames': one([normalized(recordName)]),
          'route53:ChangeResourceRecordSetsRecordTypes': one([recordType]),
          // A record that was not there before is deleted when it is rolled back.
          'route53:ChangeResourceRecordSetsActions': ['UPSERT', 'DELETE'],
        },
      },
    },
    { actions: ['route53:ListResourceRecordSets'], resources: [zone] },
    { actions: ['route53:GetChange'], resources: [`arn:${partition}:route53:::change/*`], wide: 'The change gets its id when it is made; read only.' },
  ];
}

/** Route 53 compares names with characters other than these escaped ("Using IAM policy conditions for fine-grained access control"). */
function normalized(name: string): string {
  return name.replace(/^\*/, '\\052');
}

function problems({ recordName, recordType, ttlSeconds }: RecordCutoverConfig, { hostedZone, values = [], alias }: Route53RecordOptions): string[] {
  if (Token.isUnresolved(recordName)) return ['The name of the record must be known at synthesis: the permission is bound to it. Give a literal string.'];
  const found: string[] = [];
  if (!RECORD_NAME.test(recordName)) found.push(`'${recordName}' is no name of a record.`);
  const zoneName = zoneNameOf(hostedZone);
  if (zoneName !== undefined && recordName !== zoneName && !recordName.endsWith(`.${zoneName}`)) found.push(`Record '${recordName}' is not in zone '${zoneName}'. Give its whole name.`);
  if ((values.length > 0) === (alias !== undefined)) found.push(`Record '${recordName}' needs either values or an alias.`);
  if (recordType === 'CNAME' && values.length > 1) found.push(`Record '${recordName}' of type CNAME holds one value, got ${values.length}.`);
  if (recordType !== 'A' && endpointsOf(values).length > 0) found.push(`Record '${recordName}' of type ${recordType} cannot hold recovered addresses, which are of IPv4. Use type A.`);
  if (ttlSeconds !== undefined && !Number.isSafeInteger(ttlSeconds)) found.push(`The TTL of record '${recordName}' must be whole seconds.`);
  return found;
}

/** A zone that is imported by its id alone refuses to say its name. */
function zoneNameOf(zone: IHostedZone): string | undefined {
  try {
    return Token.isUnresolved(zone.zoneName) ? undefined : zone.zoneName.toLowerCase().replace(/\.$/, '');
  } catch {
    return undefined;
  }
}
