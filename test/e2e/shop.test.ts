import { CopySnapshotCommand, CreateTagsCommand, DescribeInstanceAttributeCommand, DescribeRouteTablesCommand, DescribeSnapshotsCommand, DescribeVolumesCommand, EC2Client, type Snapshot } from '@aws-sdk/client-ec2';
import { ExecutionFailed, enteredStates } from '../../demo/executions';
import { PROJECT, RECOVERY_REGION, ShopScenario, SOURCE_REGION, tagOf } from '../../demo/scenario';
import type { Evidence } from '../../lambda/core/evidence';
import type { UpkeepConfig } from '../../lambda/core/config';
import { Tag } from '../../lambda/core/tags';
import { withoutPermission } from './permissions';
import { eventually, invoke, scheduledInput } from './functions';

/** The whole path on the local cloud, in the order of a project's life; each test builds on what the ones before it left. */
describe('the shop, from deployment to proven recovery', () => {
  let shop: ShopScenario;
  let source: EC2Client;
  let recovery: EC2Client;

  const snapshots = async (client: EC2Client): Promise<Snapshot[]> =>
    (await client.send(new DescribeSnapshotsCommand({ Filters: [{ Name: 'tag-key', Values: [Tag.POINT] }] }))).Snapshots ?? [];

  /** Snapshots in a Region by the disk and recovery point that they belong to; more than one is a double. */
  const doubles = async (client: EC2Client): Promise<string[]> => {
    const seen = new Map<string, number>();
    for (const snapshot of await snapshots(client)) {
      const tags = new Map(snapshot.Tags?.map((tag) => [tag.Key, tag.Value]));
      const disk = tags.get(Tag.COPY_OF) ?? snapshot.VolumeId;
      const key = `${tags.get(Tag.POINT)}/${disk}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    return [...seen].filter(([, count]) => count > 1).map(([key]) => key);
  };

  beforeAll(async () => {
    shop = await ShopScenario.start({ runSchedules: false, snapshotSeconds: 1, copySeconds: 2 });
    source = new EC2Client(shop.cloud.clientConfig(SOURCE_REGION));
    recovery = new EC2Client(shop.cloud.clientConfig(RECOVERY_REGION));
    await shop.deploy();
    await shop.installWorkload();
  }, 240_000);

  afterAll(async () => {
    source.destroy();
    recovery.destroy();
    await shop.stop();
  }, 30_000);

  test('a permission removed from a role fails the cycle, by the name of the action', async () => {
    await withoutPermission(shop.cloud, 'cycle-replicate', 'ec2:CopySnapshot', async () => {
      const failure: unknown = await shop.protect().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ExecutionFailed);
      expect((failure as Error).message).toMatch(/ec2:CopySnapshot|UnauthorizedOperation/);
    });
    expect(await snapshots(recovery)).toHaveLength(0);
  }, 120_000);

  test('the next cycle goes on with what the failed one left: every disk copied once, under the target key', async () => {
    await shop.protect();
    expect(await doubles(source)).toEqual([]);
    expect(await doubles(recovery)).toEqual([]);
    const copies = await snapshots(recovery);
    expect(copies.length).toBeGreaterThanOrEqual(shop.workload.diskCount);
    expect(copies.every((copy) => copy.Encrypted && copy.KmsKeyId)).toBe(true);
    expect(new Set(copies.map((copy) => copy.KmsKeyId)).size).toBe(1);
  }, 120_000);

  test('a function killed right after its call leaves no double', async () => {
    for (const operation of ['CreateSnapshots', 'CopySnapshot']) {
      const fault = shop.cloud.faults.inject({ operation, kind: 'kill-caller', when: 'after' });
      await shop.protect().catch(() => undefined);
      expect(fault.hits).toBe(1);
      shop.cloud.faults.clear();
      await shop.protect();
    }
    expect(await doubles(source)).toEqual([]);
    expect(await doubles(recovery)).toEqual([]);
  }, 240_000);

  test('protection runs while files change, and a completion event wakes the waiting cycle', async () => {
    const before = shop.cloud.calls.count({ operation: 'SendTaskSuccess' });
    shop.workload.start();
    const cycle = await shop.protect();
    await shop.workload.stop();
    expect(shop.cloud.calls.count({ operation: 'SendTaskSuccess' })).toBeGreaterThan(before);
    expect(await enteredStates(shop.cloud, RECOVERY_REGION, cycle.executionArn)).toContain('Prune');
  }, 120_000);

  test('a drill runs in the isolated network and is torn down by its own schedule when its time is over', async () => {
    const { output: evidence } = await shop.recover({ mode: 'drill', requestedBy: 'test' });
    expect(evidence).toMatchObject({ status: 'SUCCEEDED', mode: 'drill' });
    await shop.prove(evidence);
    const machines = await shop.instances(RECOVERY_REGION, evidence.runId);
    const { RouteTables } = await recovery.send(new DescribeRouteTablesCommand({ Filters: [{ Name: 'vpc-id', Values: machines.map((machine) => machine.VpcId ?? '') }] }));
    expect(new Set(machines.map((machine) => machine.VpcId)).size).toBe(1);
    // The only way out of a network is a route: those of the drill's lead nowhere but to itself.
    expect(RouteTables!.flatMap((table) => table.Routes ?? []).map((route) => route.GatewayId)).toEqual(RouteTables!.map(() => 'local'));

    const left = async () => (await shop.instances(RECOVERY_REGION, evidence.runId)).length;
    await shop.cloud.schedules.fire(`disaster-recovery-${PROJECT}-drill-teardown`);
    expect(await left()).toBe(machines.length);
    await recovery.send(new CreateTagsCommand({
      Resources: machines.map((machine) => machine.InstanceId ?? ''),
      Tags: [{ Key: Tag.EXPIRES_AT, Value: String(Math.floor(Date.now() / 1000) - 1) }],
    }));
    await shop.cloud.schedules.fire(`disaster-recovery-${PROJECT}-drill-teardown`);
    await eventually('the drill is torn down', async () => (await left()) === 0);
  }, 180_000);

  test('the sweeper removes what belongs to no recovery point, and nothing else', async () => {
    const [copy] = await snapshots(recovery);
    const before = (await snapshots(recovery)).map((snapshot) => snapshot.SnapshotId).sort();
    // What a step leaves that died between its call and its record, and that the next one did not see.
    await recovery.send(new CopySnapshotCommand({
      SourceRegion: RECOVERY_REGION,
      SourceSnapshotId: copy!.SnapshotId,
      TagSpecifications: [{ ResourceType: 'snapshot', Tags: copy!.Tags }],
    }));
    const { config } = await scheduledInput<{ config: UpkeepConfig }>(shop.cloud, 'sweep');
    await invoke(shop.cloud, 'sweep', { config });
    expect(await snapshots(recovery)).toHaveLength(before.length + 1);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const swept = await invoke<{ snapshots: number }>(shop.cloud, 'sweep', { config: { ...config, orphanAgeSeconds: 1 } });
    expect(swept.snapshots).toBe(1);
    expect((await snapshots(recovery)).map((snapshot) => snapshot.SnapshotId).sort()).toEqual(before);
  }, 60_000);

  describe('with every call to the source Region refused', () => {
    let evidence: Evidence;

    beforeAll(async () => {
      await shop.workload.tick();
      shop.cloud.faults.refuseRegion(SOURCE_REGION);
      const before = shop.cloud.calls.all().length;
      ({ output: evidence } = await shop.recover({ mode: 'failover', requestedBy: 'test' }));
      // Only fencing asks the source at all, and it goes on without an answer.
      const asked = shop.cloud.calls.all().slice(before).filter(({ region }) => region === SOURCE_REGION);
      expect(asked.length).toBeGreaterThan(0);
      expect(asked.filter(({ principal }) => !principal.includes('run-fence'))).toEqual([]);
      expect(asked.filter(({ fault }) => fault === undefined)).toEqual([]);
    }, 180_000);

    test('the failover succeeds, wave after wave', () => {
      expect(evidence.status).toBe('SUCCEEDED');
      expect(evidence.fencing).toMatchObject({ oldSide: 'unreachable', acceptedBy: 'policy: UnreachablePolicy.accept()' });
      expect(evidence.members.map((member) => member.endpoint).sort()).toEqual(['app', 'db', 'web', 'web']);
      expect(evidence.steps.every((step) => step.outcome === 'SUCCEEDED')).toBe(true);
      const launched = (endpoint: string) => evidence.steps.find((step) => step.name === `wave-${evidence.members.find((member) => member.endpoint === endpoint)?.wave}/launch`);
      expect(launched('app')!.startedAt >= launched('db')!.endedAt!).toBe(true);
      expect(launched('web')!.startedAt >= launched('app')!.endedAt!).toBe(true);
    });

    test('every recovered disk is the source at one instant, byte for byte, and the later writes are named as lost', async () => {
      const proofs = await shop.prove(evidence);
      expect(proofs.reduce((sum, proof) => sum + proof.disks, 0)).toBe(shop.workload.diskCount);
      expect(proofs.every((proof) => proof.filesCompared > 0 && proof.writesLost > 0)).toBe(true);
    }, 60_000);

    test('the machines are what the source had: type, disks, tags, user data, under the target key', async () => {
      const machines = await shop.instances(RECOVERY_REGION, evidence.runId);
      for (const original of shop.originals) {
        const twin = machines.find((machine) => tagOf(machine, Tag.MEMBER)?.endsWith(`/${original.InstanceId}`))!;
        expect(twin.InstanceType).toBe(original.InstanceType);
        expect(twin.BlockDeviceMappings?.map((mapping) => mapping.DeviceName).sort()).toEqual(original.BlockDeviceMappings?.map((mapping) => mapping.DeviceName).sort());
        expect(tagOf(twin, 'Name')).toBe(tagOf(original, 'Name'));
        expect(twin.IamInstanceProfile?.Arn).toBe(original.IamInstanceProfile?.Arn);
        const userData = (client: EC2Client, InstanceId?: string) => client.send(new DescribeInstanceAttributeCommand({ InstanceId, Attribute: 'userData' }));
        shop.cloud.faults.restoreRegion(SOURCE_REGION);
        expect((await userData(recovery, twin.InstanceId)).UserData?.Value).toBe((await userData(source, original.InstanceId)).UserData?.Value);
        const { Volumes } = await recovery.send(new DescribeVolumesCommand({ VolumeIds: twin.BlockDeviceMappings?.map((mapping) => mapping.Ebs?.VolumeId ?? '') }));
        expect(Volumes!.every((volume) => volume.Encrypted && volume.KmsKeyId)).toBe(true);
      }
    });
  });
});
