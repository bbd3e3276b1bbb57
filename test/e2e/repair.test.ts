import {
  AllocateAddressCommand, AssociateAddressCommand, AttachNetworkInterfaceCommand, CreateNetworkInterfaceCommand, DescribeAddressesCommand, DescribeInstancesCommand, DescribeNetworkInterfacesCommand,
  DescribeSubnetsCommand, EC2Client, StopInstancesCommand, type Instance,
} from '@aws-sdk/client-ec2';
import { CreateTargetGroupCommand, DescribeTargetHealthCommand, ElasticLoadBalancingV2Client, RegisterTargetsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import { join } from 'node:path';
import { waitForExecution } from '../../demo/executions';
import { PROJECT, RECOVERY_REGION, ShopScenario, SOURCE_REGION, tagOf } from '../../demo/scenario';
import type { DetectConfig } from '../../lambda/core/detection-config';
import type { Evidence } from '../../lambda/core/evidence';
import { Tag } from '../../lambda/core/tags';
import type { DetectResult } from '../../lambda/detect/detect';
import { invoke, scheduledInput } from './functions';

/** One machine of the source Region fails alone; everything is where it was afterwards, on another machine in another zone. */
describe('a machine that fails alone is replaced where it is', () => {
  let shop: ShopScenario;
  let source: EC2Client;
  let balancing: ElasticLoadBalancingV2Client;
  let route53: Route53Client;
  let failed: Instance;
  let fresh: Instance | undefined;
  let evidence: Evidence;
  const given: Record<string, string> = {};

  const machine = async (id: string): Promise<Instance> => (await source.send(new DescribeInstancesCommand({ InstanceIds: [id] }))).Reservations![0]!.Instances![0]!;

  beforeAll(async () => {
    shop = await ShopScenario.start({ runSchedules: false, snapshotSeconds: 0, copySeconds: 0 });
    source = new EC2Client(shop.cloud.clientConfig(SOURCE_REGION));
    balancing = new ElasticLoadBalancingV2Client(shop.cloud.clientConfig(SOURCE_REGION));
    route53 = new Route53Client(shop.cloud.clientConfig(SOURCE_REGION));
    const { Subnets = [] } = await source.send(new DescribeSubnetsCommand({}));
    await shop.cloud.bootstrap();
    given.address = (await source.send(new AllocateAddressCommand({ Domain: 'vpc' }))).AllocationId!;
    given.targetGroup = (await balancing.send(new CreateTargetGroupCommand({ Name: 'app', Protocol: 'HTTP', Port: 8080, VpcId: Subnets[0]!.VpcId, TargetType: 'instance' }))).TargetGroups![0]!.TargetGroupArn!;
    given.networkInterface = (await source.send(new CreateNetworkInterfaceCommand({ SubnetId: Subnets[0]!.SubnetId }))).NetworkInterface!.NetworkInterfaceId!;
    given.zone = (await route53.send(new CreateHostedZoneCommand({ Name: 'shop.example', CallerReference: 'test' }))).HostedZone!.Id!.replace('/hostedzone/', '');
    const subnets = Subnets.map(({ SubnetId, AvailabilityZone }) => ({ subnetId: SubnetId, availabilityZone: AvailabilityZone }));
    await shop.cloud.deploy({ app: `node ${join(__dirname, 'apps', 'repair.cjs')}`, context: { given: JSON.stringify({ ...given, subnets }) } });
    await shop.installWorkload();
    failed = shop.originals.find((instance) => tagOf(instance, 'Name') === 'app')!;
    await source.send(new AssociateAddressCommand({ AllocationId: given.address, InstanceId: failed.InstanceId }));
    await source.send(new AttachNetworkInterfaceCommand({ NetworkInterfaceId: given.networkInterface, InstanceId: failed.InstanceId, DeviceIndex: 1 }));
    await balancing.send(new RegisterTargetsCommand({ TargetGroupArn: given.targetGroup, Targets: [{ Id: failed.InstanceId, Port: 8080 }] }));
    await route53.send(new ChangeResourceRecordSetsCommand({
      HostedZoneId: given.zone,
      ChangeBatch: { Changes: [{ Action: 'CREATE', ResourceRecordSet: { Name: 'app.shop.example', Type: 'A', TTL: 30, ResourceRecords: [{ Value: failed.PrivateIpAddress }, { Value: '10.10.9.9' }] } }] },
    }));
    await shop.protect();
    await shop.workload.tick();
    await shop.protect();
  }, 300_000);

  afterAll(async () => {
    for (const client of [source, balancing, route53]) client.destroy();
    await shop.stop();
  }, 30_000);

  test('what is wrong with a request is said, and nothing is changed', async () => {
    await expect(shop.recover({ mode: 'repair' })).rejects.toThrow(/needs .*endpoints/);
    await expect(shop.recover({ mode: 'repair', endpoints: ['app'], members: ['app/i-0'] })).rejects.toThrow(/no machine of app/);
    await expect(shop.recover({ mode: 'failback' })).rejects.toThrow(/declares no failback/);
    expect((await machine(failed.InstanceId!)).State?.Name).toBe('running');
  }, 120_000);

  test('the detector of the endpoint sees that it does not run, and starts the repair by itself', async () => {
    await source.send(new StopInstancesCommand({ InstanceIds: [failed.InstanceId!] }));
    const { config } = await scheduledInput<{ config: DetectConfig }>(shop.cloud, 'detect');
    const detectors = config.detectors.map((detector) => ({ ...detector, policy: { ...detector.policy, spacingSeconds: 0 } }));
    let result: DetectResult | undefined;
    for (let look = 0; look < 2; look += 1) [result] = await invoke<DetectResult[]>(shop.cloud, 'detect', { config: { ...config, detectors } });
    const arn = `arn:aws:states:${RECOVERY_REGION}:${shop.cloud.account}:execution:disaster-recovery-${PROJECT}-run:incident-${result!.incident}`;
    ({ output: evidence } = await waitForExecution<Evidence>(shop.cloud, RECOVERY_REGION, arn, { timeoutSeconds: 180 }));
    expect(evidence).toMatchObject({ status: 'SUCCEEDED', mode: 'repair' });
    expect(evidence.members).toHaveLength(1);
  }, 240_000);

  test('a new machine runs from the newest recovery point, byte for byte, with the settings of the old one', async () => {
    fresh = (await shop.instances(SOURCE_REGION, evidence.runId))[0];
    expect(fresh).toMatchObject({ InstanceType: failed.InstanceType, SubnetId: failed.SubnetId, SecurityGroups: failed.SecurityGroups });
    expect(fresh?.IamInstanceProfile?.Arn).toBe(failed.IamInstanceProfile?.Arn);
    const proof = await shop.proveOn(shop.workload.machines.find(({ instanceId }) => instanceId === failed.InstanceId)!, SOURCE_REGION, fresh!.InstanceId!);
    expect(proof).toMatchObject({ writesLost: 0 });
    const old = await machine(failed.InstanceId!);
    expect([old.State?.Name, tagOf(old, Tag.REPLACED_BY)]).toEqual(['stopped', evidence.runId]);
  }, 60_000);

  test('it was redeployed to before its checks, and has taken over what the old one had', async () => {
    const names = evidence.steps.map(({ name }) => name);
    expect(names.indexOf('wave-1/hooks-redeploy')).toBeGreaterThan(names.indexOf('wave-1/launch'));
    expect(names.indexOf('wave-1/check')).toBeGreaterThan(names.indexOf('wave-1/hooks-redeploy'));
    const { TargetHealthDescriptions } = await balancing.send(new DescribeTargetHealthCommand({ TargetGroupArn: given.targetGroup }));
    expect(TargetHealthDescriptions?.map(({ Target }) => [Target?.Id, Target?.Port])).toEqual([[fresh?.InstanceId, 8080]]);
    const { Addresses } = await source.send(new DescribeAddressesCommand({ AllocationIds: [given.address!] }));
    expect(Addresses?.[0]?.InstanceId).toBe(fresh?.InstanceId);
    const { NetworkInterfaces } = await source.send(new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [given.networkInterface!] }));
    expect(NetworkInterfaces?.[0]?.Attachment?.InstanceId).toBe(fresh?.InstanceId);
    const { ResourceRecordSets } = await route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: given.zone }));
    expect(ResourceRecordSets?.find(({ Type }) => Type === 'A')?.ResourceRecords?.map(({ Value }) => Value).sort()).toEqual(['10.10.9.9', fresh!.PrivateIpAddress!].sort());
  }, 60_000);

  test('the new machine is protected from the next cycle on, and the old one is not any more', async () => {
    const { output } = await shop.protect();
    expect(output).toMatchObject({ members: 2, membersWithoutPoint: 0, findings: 0 });
    expect(shop.cloud.calls.filter({ decision: 'denied' }).map(({ principal, operation, reason }) => `${principal} ${operation}: ${reason ?? ''}`)).toEqual([]);
  }, 60_000);

  test('in a zone that is to be avoided nothing is launched', async () => {
    const { output } = await shop.recover({ mode: 'repair', endpoints: ['app'], avoidZones: [fresh!.Placement!.AvailabilityZone!] }).catch((error: unknown) => ({ output: error as Evidence }));
    const [again] = (await shop.instances(SOURCE_REGION, output.runId));
    expect(again?.Placement?.AvailabilityZone).not.toBe(fresh!.Placement!.AvailabilityZone);
  }, 240_000);
});
