import type { Stack } from 'aws-cdk-lib';
import { Duration } from 'aws-cdk-lib';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { CapacityPolicy, DrillPolicy, InstanceTypePolicy, RecoveryTarget, StagingArea, type RecoveryTargetOptions } from '../../lib';
import { definition } from './support/asl';
import { project, recoveryVpc, synthError, template, thrown, type Given, type Overrides } from './support/project';

const runConfig = (given: Given) => definition(template(given), 'run').States.Configure!.Result;

function importedVpc(scope: Stack, id: string, cidr: string, isolated = true): ec2.IVpc {
  const zones = { availabilityZones: ['us-west-2a'] };
  const subnets = isolated ? { isolatedSubnetIds: [`subnet-${id}`] } : { privateSubnetIds: [`subnet-${id}`] };
  return ec2.Vpc.fromVpcAttributes(scope, id, { vpcId: `vpc-${id}`, vpcCidrBlock: cidr, region: 'us-west-2', ...zones, ...subnets });
}

describe('drill network by default', () => {
  const rendered = template(project());

  test('has no way out: no gateway, no NAT, no peering, no route, nothing public', () => {
    for (const type of ['InternetGateway', 'NatGateway', 'VPCPeeringConnection', 'TransitGatewayAttachment', 'TransitGatewayVpcAttachment', 'Route', 'VPNGateway', 'VPCEndpoint', 'EgressOnlyInternetGateway']) {
      rendered.resourceCountIs(`AWS::EC2::${type}`, 0);
    }
    rendered.allResourcesProperties('AWS::EC2::Subnet', { MapPublicIpOnLaunch: false });
    rendered.hasResourceProperties('AWS::EC2::VPC', { CidrBlock: '192.168.240.0/20' });
  });

  test('its machines reach each other and nothing else', () => {
    const [id] = Object.keys(rendered.findResources('AWS::EC2::SecurityGroup', { Properties: { GroupDescription: Match.stringLikeRegexp('nothing else') } }));
    const itself = { 'Fn::GetAtt': [id, 'GroupId'] };
    const rules = (type: string) => Object.values(rendered.findResources(type, { Properties: { GroupId: itself } }));
    expect(rules('AWS::EC2::SecurityGroupIngress').map(({ Properties }) => [Properties.IpProtocol, Properties.SourceSecurityGroupId])).toEqual([['-1', itself]]);
    expect(rules('AWS::EC2::SecurityGroupEgress').map(({ Properties }) => [Properties.IpProtocol, Properties.DestinationSecurityGroupId])).toEqual([['-1', itself]]);
    const { Properties } = rendered.findResources('AWS::EC2::SecurityGroup')[id!]!;
    expect((Properties.SecurityGroupEgress ?? []).filter(({ CidrIp }: { CidrIp: string }) => CidrIp !== '255.255.255.255/32')).toEqual([]);
  });

  test('its traffic is logged', () => {
    rendered.hasResourceProperties('AWS::EC2::FlowLog', { TrafficType: 'ALL', ResourceType: 'VPC' });
  });
});

describe('drill options', () => {
  test('limits and block', () => {
    const given = project({ drill: DrillPolicy.isolated({ cidr: '10.99.0.0/20', instanceLimit: 4, keepFor: Duration.hours(3), maxAzs: 1 }) });
    expect(runConfig(given)).toMatchObject({ drillInstanceLimit: 4, drillKeepSeconds: 10_800, drill: { subnets: [{ cidr: '10.99.0.0/20' }] } });
  });

  test('private endpoints, only for the drill itself', () => {
    const rendered = template(project({ drill: DrillPolicy.isolated({ interfaceEndpoints: [ec2.InterfaceVpcEndpointAwsService.SSM] }) }));
    rendered.hasResourceProperties('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Interface', ServiceName: 'com.amazonaws.us-west-2.ssm' });
    const sources = Object.values(rendered.findResources('AWS::EC2::SecurityGroupIngress')).filter(({ Properties }) => Properties.FromPort === 443);
    expect(sources).toHaveLength(1);
    expect(JSON.stringify(sources)).toContain('ShopDrillSecurityGroup');
    expect(JSON.stringify(rendered.findResources('AWS::EC2::SecurityGroup'))).not.toContain('CidrBlock');
  });

  test('a VPC that exists', () => {
    const given = project((stack) => ({ drill: DrillPolicy.inVpc(importedVpc(stack, 'Drills', '10.99.0.0/16')) }));
    template(given).resourceCountIs('AWS::EC2::VPC', 0);
    expect(runConfig(given).drill.subnets).toEqual([{ subnetId: 'subnet-Drills', availabilityZone: 'us-west-2a' }]);
    expect(given.project.drillNetwork.cidr).toBe('10.99.0.0/16');
  });

  test('subnets with a way out are refused', () => {
    const error = synthError(project((stack) => ({
      drill: DrillPolicy.inVpc(importedVpc(stack, 'Drills', '10.99.0.0/16', false), { subnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS } }),
    })));
    expect(error).toMatch(/Drill subnet Recovery\/Drills\/\S+ is not isolated/);
  });

  test('the VPC of the recovery target is refused', () => {
    const error = synthError(project((stack) => {
      const vpc = recoveryVpc(stack, { isolatedSubnetIds: ['subnet-0i', 'subnet-0j'] });
      return { target: RecoveryTarget.inVpc(vpc), drill: DrillPolicy.inVpc(vpc) };
    }));
    expect(error).toContain('The drill runs in the VPC of the recovery target, where it can reach production.');
    expect(error).toContain('overlaps the VPC of the recovery target, 10.20.0.0/16');
  });
});

describe('blocks that overlap are refused', () => {
  const drill = (cidr: string): Overrides => ({ drill: DrillPolicy.isolated({ cidr }) });
  const ownVpc = (stack: Stack) => new ec2.Vpc(stack, 'Own', { ipAddresses: ec2.IpAddresses.cidr('10.30.0.0/16'), maxAzs: 1, natGateways: 0 });

  test.each<[string, (stack: Stack) => Overrides, string]>([
    ['drill and an imported VPC', () => drill('10.20.128.0/20'), 'The drill network 10.20.128.0/20 overlaps the VPC of the recovery target, 10.20.0.0/16. Give DrillPolicy another block.'],
    ['drill and a VPC of the app', (stack) => ({ ...drill('10.30.0.0/24'), target: RecoveryTarget.inVpc(ownVpc(stack), { subnets: { subnetType: ec2.SubnetType.PUBLIC } }) }), 'overlaps the VPC of the recovery target, 10.30.0.0/16'],
    ['drill and subnets of a VPC whose block is not known', (stack) => ({ ...drill('10.20.0.0/24'), target: RecoveryTarget.inVpc(recoveryVpc(stack, { vpcCidrBlock: undefined })) }), 'overlaps subnet 10.20.0.0/20 of the recovery target'],
    ['drill and staging', () => ({ ...drill('10.64.0.0/20'), staging: StagingArea.inNewVpc({ cidr: '10.64.0.0/16' }) }), 'overlaps the staging area 10.64.0.0/16'],
    ['staging and target', () => ({ staging: StagingArea.inNewVpc({ cidr: '10.20.0.0/20' }) }), 'The staging area 10.20.0.0/20 overlaps the VPC of the recovery target'],
  ])('%s', (_what, overrides, message) => {
    expect(synthError(project(overrides))).toContain(message);
  });

  test('a block that is not known at synthesis is no finding', () => {
    const { stack, app } = project((scope) => ({ target: RecoveryTarget.inVpc(recoveryVpc(scope, { vpcCidrBlock: undefined, privateSubnetIpv4CidrBlocks: undefined })) }));
    expect([stack.region, synthError({ app } as Given)]).toEqual(['us-west-2', 'synthesis succeeded']);
  });
});

describe('recovery target', () => {
  const targeted = (options: (stack: Stack) => RecoveryTargetOptions) => project((stack) => ({ target: RecoveryTarget.inVpc(recoveryVpc(stack), options(stack)) }));

  test('what is given is told to the run', () => {
    const given = targeted((stack) => ({
      subnets: { subnetFilters: [ec2.SubnetFilter.byIds(['subnet-0b'])] },
      securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0own')],
      instanceTypes: InstanceTypePolicy.mapped({ 'm5.large': new ec2.InstanceType('m6i.large') }),
      capacity: CapacityPolicy.reservation('cr-01'), keepPrivateIps: false, keepUserData: false, keyName: 'operators',
    }));
    expect(runConfig(given)).toMatchObject({
      production: { subnets: [{ subnetId: 'subnet-0b' }], securityGroupIds: ['sg-0own'] },
      instanceTypes: { map: { 'm5.large': 'm6i.large' }, fallbacks: [] },
      launchDefaults: { keepPrivateIp: false, keepUserData: false, keyName: 'operators' },
      capacityReservationId: 'cr-01',
    });
    expect(template(given).findResources('AWS::EC2::SecurityGroup', { Properties: { GroupDescription: 'Recovered machines reach each other' } })).toEqual({});
  });

  test('an empty list of security groups is refused', () => {
    expect(thrown(() => targeted(() => ({ securityGroups: [] })))).toContain('securityGroups is empty');
  });
});

describe('staging area', () => {
  function endpoints(rendered: Template, type: string): string[] {
    return Object.values(rendered.findResources('AWS::EC2::VPCEndpoint', { Properties: { VpcEndpointType: type } }))
      .map(({ Properties }) => (typeof Properties.ServiceName === 'string' ? Properties.ServiceName : Properties.ServiceName['Fn::Join'][1].join('')).split('.').at(-1)!).sort();
  }

  test('none by default', () => {
    expect(project().project.stagingNetwork).toBeUndefined();
  });

  const given = project({ staging: StagingArea.inNewVpc({ cidr: '10.64.0.0/20' }) });
  const rendered = template(given);

  test('a VPC of its own is isolated and has private endpoints for this account only', () => {
    rendered.hasResourceProperties('AWS::EC2::VPC', { CidrBlock: '10.64.0.0/20' });
    rendered.resourceCountIs('AWS::EC2::InternetGateway', 0);
    expect(endpoints(rendered, 'Interface')).toEqual(['ebs', 'ec2', 'kms', 'logs', 'sts']);
    expect(endpoints(rendered, 'Gateway')).toEqual(['dynamodb', 's3']);
    rendered.allResourcesProperties('AWS::EC2::VPCEndpoint', {
      PolicyDocument: { Statement: [{ Effect: 'Allow', Action: '*', Principal: { AWS: '*' }, Resource: '*', Condition: { StringEquals: { 'aws:PrincipalAccount': { Ref: 'AWS::AccountId' } } } }] },
    });
  });

  test('replication reaches the endpoints by TLS and nothing else', () => {
    const group = given.stack.getLogicalId(given.project.stagingNetwork!.securityGroup.node.defaultChild as ec2.CfnSecurityGroup);
    const egress = Object.values(rendered.findResources('AWS::EC2::SecurityGroupEgress', { Properties: { GroupId: { 'Fn::GetAtt': [group, 'GroupId'] } } }));
    expect(egress.map(({ Properties }) => [Properties.FromPort, Properties.ToPort])).toEqual([[443, 443]]);
  });

  test('in a VPC that exists, with the endpoints that it lacks', () => {
    const other = project((stack) => ({
      staging: StagingArea.inVpc(importedVpc(stack, 'Staging', '10.64.0.0/16'), { interfaceEndpoints: [ec2.InterfaceVpcEndpointAwsService.STS], gatewayEndpoints: false }),
    }));
    const found = template(other);
    expect([endpoints(found, 'Interface'), endpoints(found, 'Gateway')]).toEqual([['sts'], []]);
    expect(other.project.stagingNetwork?.subnets.map(({ subnetId }) => subnetId)).toEqual(['subnet-Staging']);
  });
});
