import type { ApiCall } from '../../local-cloud/gateway/call';
import { jsonCall, restCall } from './support/calls';
import { ACCOUNT, allow, judgeOf, SESSION } from './support/iam';

const denied = (words: string): object => ({ allowed: false, reason: expect.stringContaining(words) });
const ZONE = 'arn:aws:route53:::hostedzone/Z1';

function change(name: string, type = 'A', action = 'UPSERT'): ApiCall {
  const body = Buffer.from(`<?xml version="1.0"?><ChangeResourceRecordSetsRequest><ChangeBatch><Changes><Change><Action>${action}</Action><ResourceRecordSet><Name>${name}</Name><Type>${type}</Type></ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`);
  return { ...restCall('route53', 'ChangeResourceRecordSets', 'POST', '/2013-04-01/hostedzone/Z1/rrset'), body };
}

describe('Route 53', () => {
  const bound = { ...allow('route53:ChangeResourceRecordSets', ZONE), Condition: { 'ForAllValues:StringEquals': {
    'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['shop.example.com'], 'route53:ChangeResourceRecordSetsRecordTypes': ['A'], 'route53:ChangeResourceRecordSetsActions': ['UPSERT', 'DELETE'],
  } } };
  const judge = judgeOf([bound, allow('route53:GetChange', 'arn:aws:route53:::change/*'), allow('route53:ListResourceRecordSets', ZONE)]);

  test.each([['Shop.example.com.'], ['shop.example.com', 'A', 'DELETE']])('%s is the record that may be changed', async (name, type = 'A', action = 'UPSERT') => {
    expect(await judge.judge(SESSION, change(name, type, action))).toEqual({ allowed: true });
  });

  test.each([['www.example.com'], ['shop.example.com', 'TXT'], ['shop.example.com', 'A', 'CREATE']])('%s %s %s is not', async (name, type = 'A', action = 'UPSERT') => {
    expect(await judge.judge(SESSION, change(name, type, action))).toEqual(denied('hostedzone/Z1'));
  });

  test('a wildcard is compared escaped', async () => {
    const wild = judgeOf([{ ...allow('route53:ChangeResourceRecordSets', ZONE), Condition: { 'ForAllValues:StringEquals': { 'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['\\052.example.com'] } } }]);
    expect(await wild.judge(SESSION, change('*.example.com'))).toEqual({ allowed: true });
  });

  test('reads are judged by zone and change', async () => {
    expect(await judge.judge(SESSION, restCall('route53', 'ListResourceRecordSets', 'GET', '/2013-04-01/hostedzone/Z1/rrset'))).toEqual({ allowed: true });
    expect(await judge.judge(SESSION, restCall('route53', 'ListResourceRecordSets', 'GET', '/2013-04-01/hostedzone/Z2/rrset'))).toEqual(denied('hostedzone/Z2'));
    expect(await judge.judge(SESSION, restCall('route53', 'GetChange', 'GET', '/2013-04-01/change/C1'))).toEqual({ allowed: true });
  });
});

test('endpoint groups of Global Accelerator, each by its ARN', async () => {
  const group = (name: string) => `arn:aws:globalaccelerator::${ACCOUNT}:accelerator/a/listener/l/endpoint-group/${name}`;
  const judge = judgeOf([allow('globalaccelerator:UpdateEndpointGroup', group('r'))]);
  expect(await judge.judge(SESSION, jsonCall('globalaccelerator', 'UpdateEndpointGroup', { EndpointGroupArn: group('r') }))).toEqual({ allowed: true });
  expect(await judge.judge(SESSION, jsonCall('globalaccelerator', 'UpdateEndpointGroup', { EndpointGroupArn: group('s') }))).toEqual(denied('endpoint-group/s'));
  expect(await judge.judge(SESSION, jsonCall('globalaccelerator', 'DescribeEndpointGroup', { EndpointGroupArn: group('r') }))).toEqual(denied('DescribeEndpointGroup'));
});

test('routing controls, every one of the call, and overriding of safety rules', async () => {
  const control = (name: string) => `arn:aws:route53-recovery-control::${ACCOUNT}:controlpanel/p/routingcontrol/${name}`;
  const update = (rules: string[], ...names: string[]) => jsonCall('route53-recovery-cluster', 'UpdateRoutingControlStates', {
    UpdateRoutingControlStateEntries: names.map((name) => ({ RoutingControlArn: control(name), RoutingControlState: 'On' })), SafetyRulesToOverride: rules,
  });
  const judge = judgeOf([{ ...allow('route53-recovery-cluster:UpdateRoutingControlStates', [control('a'), control('b')]), Condition: { BoolIfExists: { 'route53-recovery-cluster:AllowSafetyRulesOverrides': 'false' } } }]);
  expect(await judge.judge(SESSION, update([], 'a', 'b'))).toEqual({ allowed: true });
  expect(await judge.judge(SESSION, update([], 'a', 'c'))).toEqual(denied('routingcontrol/c'));
  expect(await judge.judge(SESSION, update(['arn:rule'], 'a'))).toEqual(denied('routingcontrol/a'));
});
