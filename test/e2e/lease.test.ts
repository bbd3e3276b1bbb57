import { join } from 'node:path';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { GetRolePolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { ExecutionFailed, enteredStates, startExecution, stateMachineArn, waitForExecution } from '../../demo/executions';
import { PROJECT, RECOVERY_REGION, ShopScenario, SOURCE_REGION, tagOf } from '../../demo/scenario';
import type { FenceGuardConfig } from '../../lambda/core/config';
import type { Evidence } from '../../lambda/core/evidence';
import type { Lease } from '../../lambda/core/lease';
import { Tag } from '../../lambda/core/tags';
import { eventually, invoke, scheduledInput } from './functions';

/** Two failovers at once while the source Region refuses everything, and what becomes of the old side when it answers again. */
describe('one active side', () => {
  let shop: ShopScenario;
  let source: EC2Client;
  let winner: Evidence;

  async function lease(): Promise<Lease> {
    const client = new DynamoDBClient(shop.cloud.clientConfig(RECOVERY_REGION));
    try {
      const { TableNames } = await client.send(new ListTablesCommand({}));
      const { Item } = await DynamoDBDocumentClient.from(client).send(new GetCommand({ TableName: TableNames![0], Key: { pk: 'LEASE', sk: 'project' } }));
      return Item as Lease;
    } finally {
      client.destroy();
    }
  }

  const oldStates = async (): Promise<string[]> => {
    const { Reservations } = await source.send(new DescribeInstancesCommand({ InstanceIds: shop.originals.map(({ InstanceId }) => InstanceId ?? '') }));
    return (Reservations ?? []).flatMap(({ Instances }) => Instances ?? []).map(({ State }) => State?.Name ?? '');
  };

  const guard = async () => invoke<{ state: string; acted: string[] }>(shop.cloud, 'fence-guard', await scheduledInput<{ config: FenceGuardConfig }>(shop.cloud, 'fence-guard'));

  beforeAll(async () => {
    shop = await ShopScenario.start({ runSchedules: false });
    source = new EC2Client(shop.cloud.clientConfig(SOURCE_REGION));
    await shop.cloud.bootstrap();
    await shop.cloud.deploy({ app: `node ${join(__dirname, 'apps', 'fenced-shop.cjs')}` });
    await shop.installWorkload();
    await shop.protect();
  }, 300_000);

  afterAll(async () => {
    source.destroy();
    await shop.stop();
  }, 30_000);

  test('before a failover the guard has nothing to do', async () => {
    expect(await guard()).toEqual({ state: 'idle', acted: [] });
  }, 60_000);

  test('of two failovers at once one recovers, the other is told by whom', async () => {
    shop.cloud.faults.refuseRegion(SOURCE_REGION);
    const machine = await stateMachineArn(shop.cloud, RECOVERY_REGION, PROJECT, 'run');
    const arns = await Promise.all([1, 2].map(() => startExecution(shop.cloud, RECOVERY_REGION, machine, { mode: 'failover', requestedBy: 'test' })));
    const ends = await Promise.allSettled(arns.map((arn) => waitForExecution<Evidence>(shop.cloud, RECOVERY_REGION, arn, { timeoutSeconds: 240 })));
    const [won] = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value.output] : []));
    const [lost] = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as ExecutionFailed] : []));
    winner = won!;
    expect(winner).toMatchObject({ status: 'SUCCEEDED', epoch: 1, fencing: { oldSide: 'unreachable', acceptedBy: 'policy: UnreachablePolicy.accept()' } });
    expect(winner.fencing!.results.every(({ action, outcome }) => action !== 'stop' || outcome === 'unreachable')).toBe(true);
    expect(lost).toBeInstanceOf(ExecutionFailed);
    expect(lost!.error).toBe('LeaseHeld');
    expect(lost!.message).toContain(`Run ${winner.runId} (failover, epoch 1`);
    const machines = await shop.instances(RECOVERY_REGION, winner.runId);
    expect(machines).toHaveLength(shop.originals.length);
    expect(machines.map((each) => tagOf(each, Tag.EPOCH))).toEqual(machines.map(() => '1'));
    expect(await lease()).toMatchObject({ active: 'recovery', epoch: 1, oldSide: 'unreachable' });
  }, 300_000);

  test('the old side is not protected any more', async () => {
    const { executionArn } = await shop.protect();
    expect((await enteredStates(shop.cloud, RECOVERY_REGION, executionArn)).at(-1)).toBe('Suspended');
  }, 60_000);

  test('while the source refuses, the guard waits; once it answers, the old side is stopped and its role revoked', async () => {
    expect((await guard()).state).toBe('unreachable');
    shop.cloud.faults.restoreRegion(SOURCE_REGION);
    expect(await oldStates()).toEqual(shop.originals.map(() => 'running'));
    const { acted } = await guard();
    expect(acted).toHaveLength(shop.originals.length);
    await eventually('the old side is fenced', async () => (await guard()).state === 'fenced', 60);
    expect(await oldStates()).toEqual(shop.originals.map(() => 'stopped'));
    expect(await lease()).toMatchObject({ active: 'recovery', oldSide: 'fenced', changedBy: 'fence-guard' });
    const iam = new IAMClient(shop.cloud.clientConfig(SOURCE_REGION));
    const profile = shop.originals[0]!.IamInstanceProfile!.Arn!;
    expect(profile).toContain('instance-profile/');
    const roles = (await scheduledInput<{ config: FenceGuardConfig }>(shop.cloud, 'fence-guard')).config.fencing.actions.flatMap((action) => (action.kind === 'revoke-sessions' ? action.roleArns : []));
    const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName: roles[0]!.split('/').at(-1), PolicyName: `disaster-recovery-${PROJECT}-fenced` }));
    iam.destroy();
    for (const { InstanceId } of shop.originals) expect(decodeURIComponent(PolicyDocument!)).toContain(`:${SOURCE_REGION}:123456789012:instance/${InstanceId}`);
    expect(shop.cloud.calls.count({ operation: 'Publish' })).toBeGreaterThan(0);
  }, 180_000);

  test('a second failover of what is recovered is refused', async () => {
    const failure: unknown = await shop.recover({ mode: 'failover' }).catch((error: unknown) => error);
    expect((failure as Error).message).toMatch(/InvalidRequest.*active since run .*again.*true/);
  }, 120_000);
});
