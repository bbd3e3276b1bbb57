import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { DescribeImagesCommand, DescribeVolumesCommand, paginateDescribeInstances, paginateDescribeSnapshots, type EC2Client, type Tag as Ec2Tag } from '@aws-sdk/client-ec2';
import { DynamoDBDocumentClient, paginateScan, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { RecoveryPoint, RunRecord } from '../lambda/core/model';
import { Tag } from '../lambda/core/tags';
import type { LocalCloud } from '../local-cloud';
import type { SeenLease, SeenMachine, SeenSnapshot, World } from './invariants';
import { MACHINE_TAG, PROJECT, RECOVERY_REGION } from './names';

type Row = Record<string, unknown> & { readonly pk: string; readonly sk: string };

const GONE = new Set(['terminated', 'shutting-down']);
const OURS = { Name: `tag:${Tag.PROJECT}`, Values: [PROJECT] };

/** Everything that the invariants speak of, read as an operator would. */
export async function look(cloud: LocalCloud, source: EC2Client, recovery: EC2Client): Promise<World> {
  const [rows, there, here, images, machines, originals, volumes] = await Promise.all([
    withCatalogue(cloud, scan), snapshots(source), snapshots(recovery),
    recovery.send(new DescribeImagesCommand({ Owners: ['self'], Filters: [OURS] })),
    instances(recovery, OURS), instances(source, { Name: `tag:${Object.keys(MACHINE_TAG)[0]}`, Values: Object.values(MACHINE_TAG) }),
    source.send(new DescribeVolumesCommand({ Filters: [OURS] })),
  ]);
  const of = (matches: (row: Row) => boolean) => rows.filter(matches);
  return {
    points: of(({ pk }) => pk.startsWith('POINT#')).map(pointOf),
    returnPoints: of(({ pk }) => pk.startsWith('RETURN#POINT#')).map(pointOf),
    reopened: of(({ sk, outcome }) => sk === 'STEP#reopen' && outcome === 'SUCCEEDED').map(({ runId }) => String(runId)),
    runs: of(({ pk, sk }) => pk.startsWith('RUN#') && sk === 'RUN') as unknown as RunRecord[],
    locks: of(({ pk }) => pk === 'LOCK' || pk === 'RETURN#LOCK') as unknown as { executionArn: string }[],
    leases: of(({ pk }) => pk === 'LEASE') as SeenLease[],
    source: there,
    recovery: here,
    images: (images.Images ?? []).map(({ ImageId, Tags }) => ({ id: ImageId ?? '', tags: record(Tags) })),
    machines: machines.filter(({ tags }) => tags[Tag.RUN] !== undefined),
    originals,
    volumes: (volumes.Volumes ?? []).map(({ VolumeId, State, Tags }) => ({ id: VolumeId ?? '', state: State ?? '', tags: record(Tags) })),
  };
}

function pointOf(row: Row): RecoveryPoint {
  return { ...row, pinnedBy: [...(row.pinnedBy as Set<string> | undefined) ?? []] } as unknown as RecoveryPoint;
}

/** Makes the source the active side again, as a failback would. Epochs go on growing. */
export function reactivateSource(cloud: LocalCloud): Promise<void> {
  return withCatalogue(cloud, async (client, table) => {
    for (const { oldSide: _side, acceptedBy: _by, activeEpoch: _epoch, activeBy: _run, ...row } of (await scan(client, table)).filter(({ pk }) => pk === 'LEASE')) {
      await client.send(new PutCommand({ TableName: table, Item: { ...row, active: 'source', version: Number(row.version) + 1 } }));
    }
  });
}

async function withCatalogue<T>(cloud: LocalCloud, work: (client: DynamoDBDocumentClient, table: string) => Promise<T>): Promise<T> {
  const dynamo = new DynamoDBClient(cloud.clientConfig(RECOVERY_REGION));
  try {
    const { TableNames = [] } = await dynamo.send(new ListTablesCommand({}));
    const [table] = TableNames;
    if (table === undefined || TableNames.length > 1) throw new Error(`One table was expected in ${RECOVERY_REGION}, not ${TableNames.join(', ') || 'none'}.`);
    return await work(DynamoDBDocumentClient.from(dynamo), table);
  } finally {
    dynamo.destroy();
  }
}

async function scan(client: DynamoDBDocumentClient, TableName: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of paginateScan({ client }, { TableName, ConsistentRead: true })) rows.push(...(page.Items ?? []) as Row[]);
  return rows;
}

async function snapshots(client: EC2Client): Promise<SeenSnapshot[]> {
  const found: SeenSnapshot[] = [];
  for await (const page of paginateDescribeSnapshots({ client }, { OwnerIds: ['self'], Filters: [OURS] })) {
    found.push(...(page.Snapshots ?? []).map(({ SnapshotId, State, Tags }) => ({ id: SnapshotId ?? '', state: State ?? '', tags: record(Tags) })));
  }
  return found;
}

async function instances(client: EC2Client, filter: { Name: string; Values: string[] }): Promise<SeenMachine[]> {
  const found: SeenMachine[] = [];
  for await (const page of paginateDescribeInstances({ client }, { Filters: [filter] })) {
    for (const { InstanceId, State, Tags } of (page.Reservations ?? []).flatMap(({ Instances }) => Instances ?? [])) {
      found.push({ id: InstanceId ?? '', state: State?.Name ?? '', tags: record(Tags) });
    }
  }
  return found.filter(({ state }) => !GONE.has(state));
}

function record(tags: readonly Ec2Tag[] | undefined): Record<string, string> {
  return Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));
}
