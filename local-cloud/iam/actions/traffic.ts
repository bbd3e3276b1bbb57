import type { ApiCall } from '../../gateway/call';
import { list, record, text, type ActionTable, type Requirements } from '../requirement';

/** Texts of an XML element, wherever it stands. Route 53's requests have no attributes and no entities in these. */
function elements(call: ApiCall, name: string): string[] {
  const body = call.body?.toString('utf8') ?? '';
  return [...body.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, value]) => value ?? '');
}

/** Names are compared in lower case, without the dot at the end, a wildcard as an octal escape. */
function normalized(name: string): string {
  return name.toLowerCase().replace(/\.$/, '').replace(/^\*/, '\\052');
}

/** `hostedzone/Z1` or `change/C1`, whichever the path names. */
function route53Arn(call: ApiCall): string {
  const [, , kind = '', id = ''] = call.url.pathname.split('/');
  return `arn:aws:route53:::${kind}/${decodeURIComponent(id)}`;
}

const onPath: Requirements = (call) => [{ action: `route53:${call.operation}`, resource: route53Arn(call), context: {} }];

const changeRecords: Requirements = (call) => {
  const changes = (call.body?.toString('utf8') ?? '').match(/<ResourceRecordSet>[\s\S]*?<\/ResourceRecordSet>/g) ?? [];
  const first = (xml: string, name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
  return [{
    action: 'route53:ChangeResourceRecordSets',
    resource: route53Arn(call),
    context: {
      'route53:ChangeResourceRecordSetsNormalizedRecordNames': changes.map((xml) => normalized(first(xml, 'Name'))),
      'route53:ChangeResourceRecordSetsRecordTypes': changes.map((xml) => first(xml, 'Type')),
      'route53:ChangeResourceRecordSetsActions': elements(call, 'Action'),
    },
  }];
};

/** Service Authorization Reference, "Actions, resources, and condition keys for Amazon Route 53". */
export const ROUTE53: ActionTable = { ChangeResourceRecordSets: changeRecords, ListResourceRecordSets: onPath, GetChange: onPath };

const onEndpointGroup: Requirements = (call) => [{ action: `globalaccelerator:${call.operation}`, resource: text(call.json.EndpointGroupArn), context: {} }];

/** Service Authorization Reference, "… AWS Global Accelerator". */
export const GLOBAL_ACCELERATOR: ActionTable = { DescribeEndpointGroup: onEndpointGroup, UpdateEndpointGroup: onEndpointGroup };

const overrides = (call: ApiCall): Record<string, string> => ({ 'route53-recovery-cluster:AllowSafetyRulesOverrides': String(list(call.json.SafetyRulesToOverride).length > 0) });

/** Service Authorization Reference, "… Amazon Route 53 Recovery Cluster": each routing control of the call. */
export const ROUTING_CONTROL: ActionTable = {
  GetRoutingControlState: (call) => [{ action: 'route53-recovery-cluster:GetRoutingControlState', resource: text(call.json.RoutingControlArn), context: {} }],
  UpdateRoutingControlStates: (call) => list(call.json.UpdateRoutingControlStateEntries).map(record).map((entry) => ({
    action: 'route53-recovery-cluster:UpdateRoutingControlStates', resource: text(entry.RoutingControlArn), context: overrides(call),
  })),
};
