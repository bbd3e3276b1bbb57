import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeInstancesCommand, DescribeVolumesCommand, EC2Client, TerminateInstancesCommand, type Instance } from '@aws-sdk/client-ec2';
import { GetRolePolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ExecutionFailed, waitForExecution } from '../../demo/executions';
import { PROJECT, RECOVERY_REGION, ShopScenario, SOURCE_REGION, tagOf } from '../../demo/scenario';
import type { Workload } from '../../demo/workload';
import type { DetectConfig } from '../../lambda/core/detection-config';
import type { Evidence } from '../../lambda/core/evidence';
import { Tag } from '../../lambda/core/tags';
import type { DetectResult } from '../../lambda/detect/detect';
import { invoke, scheduledInput } from './functions';

/** Nobody does anything but what an operator must: the failure is noticed, decided upon and answered by the project itself. Each test goes on from the one before it. */
describe('the whole loop: a failure, the recovery Region, and back', () => {
  let shop: ShopScenario;
  let source: EC2Client;
  let recovery: EC2Client;
  let server: Server;
  let up = true;
  let originals: readonly Instance[];
  let failover: Evidence;
  let failback: Evidence;
  let lost: Instance;
  let recovered: Workload;

  const look = async (times: number): Promise<DetectResult | undefined> => {
    const { config } = await scheduledInput<{ config: DetectConfig }>(shop.cloud, 'detect');
    const detectors = config.detectors.map((detector) => ({ ...detector, policy: { ...detector.policy, spacingSeconds: 0 } }));
    let results: DetectResult[] = [];
    for (let time = 0; time < times; time += 1) results = await invoke(shop.cloud, 'detect', { config: { ...config, detectors } });
    return results[0];
  };

  const machines = async (client: EC2Client): Promise<Instance[]> => {
    const { Reservations } = await client.send(new DescribeInstancesCommand({ Filters: [{ Name: 'instance-state-name', Values: ['pending', 'running', 'stopping', 'stopped'] }] }));
    return (Reservations ?? []).flatMap(({ Instances }) => Instances ?? []);
  };
  const states = async (client: EC2Client): Promise<string[]> => [...new Set((await machines(client)).map(({ State }) => State?.Name ?? ''))];

  /** Where clients are sent: the health checks of both sides follow this alarm, one the inverse of the other. */
  const traffic = async (): Promise<'source' | 'recovery'> => {
    const cloudWatch = new CloudWatchClient(shop.cloud.clientConfig(RECOVERY_REGION));
    const { MetricAlarms } = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNames: [`disaster-recovery-${PROJECT}-cutover-health-check-metric`] }));
    cloudWatch.destroy();
    return MetricAlarms?.[0]?.StateValue === 'ALARM' ? 'recovery' : 'source';
  };

  const roleIsRevoked = async (): Promise<boolean> => {
    const iam = new IAMClient(shop.cloud.clientConfig(SOURCE_REGION));
    const found = await iam.send(new GetRolePolicyCommand({ RoleName: 'shop-machine', PolicyName: `disaster-recovery-${PROJECT}-fenced` })).catch(() => undefined);
    iam.destroy();
    return found !== undefined;
  };

  beforeAll(async () => {
    server = createServer((_request, response) => { response.writeHead(up ? 200 : 503).end(); });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    shop = await ShopScenario.start({ runSchedules: false, snapshotSeconds: 0, copySeconds: 0 });
    source = new EC2Client(shop.cloud.clientConfig(SOURCE_REGION));
    recovery = new EC2Client(shop.cloud.clientConfig(RECOVERY_REGION));
    await shop.cloud.bootstrap();
    await shop.cloud.deploy({ app: `node ${join(__dirname, 'apps', 'loop.cjs')}`, context: { port: String((server.address() as AddressInfo).port) } });
    await shop.installWorkload();
    originals = await shop.instances(SOURCE_REGION);
    await shop.protect();
  }, 300_000);

  afterAll(async () => {
    source.destroy();
    recovery.destroy();
    server.closeAllConnections();
    server.close();
    await shop.stop();
  }, 30_000);

  test('while all is well nothing is decided, and a failback is refused: the source is the newer side', async () => {
    await look(4);
    await expect(shop.recover({ mode: 'failback' })).rejects.toThrow(/InvalidRequest.*source side/s);
    expect(await traffic()).toBe('source');
  }, 120_000);

  test('the storefront and the source Region fail: after enough looks a failover begins by itself, and succeeds', async () => {
    up = false;
    server.closeAllConnections();
    await new Promise<void>((resolve) => { server.close(() => resolve()); });
    shop.cloud.faults.refuseRegion(SOURCE_REGION);
    const result = await look(3);
    expect(result).toMatchObject({ unhealthy: ['storefront', 'port'], unknown: ['checks'] });
    const arn = `arn:aws:states:${RECOVERY_REGION}:${shop.cloud.account}:execution:disaster-recovery-${PROJECT}-run:incident-${result!.incident}`;
    const before = (await machines(recovery)).length;
    ({ output: failover } = await waitForExecution<Evidence>(shop.cloud, RECOVERY_REGION, arn, { timeoutSeconds: 180 }));
    expect(before).toBeLessThanOrEqual(4);
    expect(failover).toMatchObject({ status: 'SUCCEEDED', mode: 'failover', requestedBy: expect.stringContaining('detector') });
    expect(failover.fencing).toMatchObject({ oldSide: 'unreachable', acceptedBy: 'policy: UnreachablePolicy.accept()' });
    const proofs = await shop.prove(failover);
    expect(proofs.reduce((sum, { disks }) => sum + disks, 0)).toBe(shop.workload.diskCount);
    await look(3);
    expect(await machines(recovery)).toHaveLength(4);
  }, 240_000);

  test('clients are sent to the recovered machines', async () => {
    expect(await traffic()).toBe('recovery');
  }, 60_000);

  test('the source Region is back and its old machines run: a failback is refused, and the guard fences them', async () => {
    shop.cloud.faults.restoreRegion(SOURCE_REGION);
    expect(await states(source)).toEqual(['running']);
    await expect(shop.recover({ mode: 'failback' })).rejects.toThrow(/InvalidRequest/);
    await shop.fenceOldSide();
    expect(await states(source)).toEqual(['stopped']);
    expect(await roleIsRevoked()).toBe(true);
    expect(shop.cloud.calls.count({ operation: 'Publish', principal: `function:disaster-recovery-${PROJECT}-fence-guard`, status: 200 })).toBeGreaterThan(0);
  }, 120_000);

  test('what is written meanwhile comes back with the failback, byte for byte, into the machines that are there, and a new one for one that is gone', async () => {
    lost = originals.find((machine) => tagOf(machine, 'Name') === 'web-2')!;
    await source.send(new TerminateInstancesCommand({ InstanceIds: [lost.InstanceId!] }));
    recovered = await shop.takeOver(failover);
    await recovered.tick();
    await recovered.tick();
    ({ output: failback } = await shop.recover({ mode: 'failback', requestedBy: 'test' }));
    expect(failback).toMatchObject({ status: 'SUCCEEDED', mode: 'failback' });
    expect(await states(recovery)).toEqual(['stopped']);
    const back = await shop.instances(SOURCE_REGION);
    const identity = ({ InstanceId, PrivateIpAddress }: Instance) => `${InstanceId} ${PrivateIpAddress}`;
    expect(back.map(identity).sort()).toEqual(originals.filter((machine) => machine !== lost).map(identity).sort());
    const [fresh] = await shop.instances(SOURCE_REGION, failback.runId);
    expect(fresh).toMatchObject({ SubnetId: lost.SubnetId, PrivateIpAddress: lost.PrivateIpAddress, SecurityGroups: lost.SecurityGroups, InstanceType: lost.InstanceType });
    expect([tagOf(fresh!, 'app'), fresh!.IamInstanceProfile?.Arn]).toEqual(['web', lost.IamInstanceProfile?.Arn]);
    const proofs = await shop.proveReturn(recovered);
    expect(proofs).toHaveLength(4);
    expect(proofs.every(({ writesLost, filesCompared }) => writesLost === 0 && filesCompared > 5)).toBe(true);
  }, 300_000);

  test('the evidence says what was verified, and how long there was no service', () => {
    expect(failback.steps.find(({ name }) => name === 'verify')?.detail).toMatch(/^\d+ of \d+ blocks of 6 disks equal$/);
    expect(failback.steps.filter(({ outcome }) => outcome !== 'SUCCEEDED')).toEqual([]);
    expect(JSON.stringify(failback)).toMatch(/"verified":\{"blocks":\d+,"of":\d+\}/);
  });

  test('clients are sent back, the role has its power, and what was replaced is kept for its time', async () => {
    expect(await traffic()).toBe('source');
    expect(await roleIsRevoked()).toBe(false);
    const { Volumes } = await source.send(new DescribeVolumesCommand({ Filters: [{ Name: `tag:${Tag.REPLACED_BY}`, Values: [failback.runId] }] }));
    expect(Volumes?.map(({ State }) => State)).toEqual(Array.from({ length: 5 }, () => 'available'));
    await shop.cloud.schedules.fire(`disaster-recovery-${PROJECT}-drill-teardown`);
    expect(await machines(recovery)).toHaveLength(4);
  }, 60_000);

  test('the first direction is protected again, and a drill boots what was written on the other side', async () => {
    const { output } = await shop.protect();
    expect(output).toMatchObject({ status: 'SUCCEEDED', members: 4, membersWithoutPoint: 0, committed: 4 });
    const { output: drill } = await shop.recover({ mode: 'drill', requestedBy: 'test' });
    expect(drill.status).toBe('SUCCEEDED');
    const twins = await shop.instances(RECOVERY_REGION, drill.runId);
    for (const machine of recovered.machines) {
      // The one that was gone is another member now.
      const twin = twins.find((each) => tagOf(each, 'Name') === machine.name)!;
      expect(await shop.proveOn(machine, RECOVERY_REGION, twin.InstanceId!)).toMatchObject({ writesLost: 0 });
    }
  }, 240_000);

  test('a second failback has nothing to bring back', async () => {
    const refused: unknown = await shop.recover({ mode: 'failback' }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ExecutionFailed);
    expect((refused as Error).message).toMatch(/InvalidRequest/);
    expect(shop.cloud.calls.filter({ decision: 'denied' }).map(({ principal, operation, reason }) => `${principal} ${operation}: ${reason ?? ''}`)).toEqual([]);
  }, 60_000);
});
