import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { DynamoCycle } from '../../../lambda/adapters/catalogue/cycle';
import { DynamoMembers } from '../../../lambda/adapters/catalogue/members';
import { DynamoPoints } from '../../../lambda/adapters/catalogue/points';
import { DynamoRuns } from '../../../lambda/adapters/catalogue/runs';
import { Table } from '../../../lambda/adapters/catalogue/table';
import { ConflictError } from '../../../lambda/adapters/errors';
import type { EndpointMember, RecoveryPoint, RunMember, RunRecord } from '../../../lambda/core/model';

const ddb = mockClient(DynamoDBDocumentClient);
const table = new Table(DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-west-2' })), 'catalogue');
const points = new DynamoPoints(table);
const cycles = new DynamoCycle(table);
const members = new DynamoMembers(table);
const runs = new DynamoRuns(table);

const unmet = new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata: {} });
const point: RecoveryPoint = {
  project: 'shop', memberId: 'db/i-1', pointId: 'p-1', cycleId: 'c-1', state: 'CREATING', createdAt: '2030-01-01T00:00:00Z', volumes: [], version: 1,
};
const put = () => ddb.commandCalls(PutCommand)[0]!.args[0].input;
const update = () => ddb.commandCalls(UpdateCommand)[0]!.args[0].input;

beforeEach(() => {
  ddb.reset();
  ddb.on(PutCommand).resolves({});
});

describe('points', () => {
  test('an intent is stored once, in the index of what has work left', async () => {
    expect(await points.createPoint(point)).toBe(true);
    expect(put()).toMatchObject({
      TableName: 'catalogue',
      Item: { pk: 'POINT#db/i-1', sk: '2030-01-01T00:00:00Z#p-1', work: 'POINT', sk2: '2030-01-01T00:00:00Z#p-1', state: 'CREATING', version: 1 },
      ConditionExpression: 'attribute_not_exists(#sk)',
    });
    ddb.on(PutCommand).rejects(unmet);
    expect(await points.createPoint(point)).toBe(false);
  });

  test('a write is conditional on the version that was read', async () => {
    await points.savePoint({ ...point, state: 'COPYING', version: 3 }, 2);
    expect(put()).toMatchObject({ ConditionExpression: '#version = :version', ExpressionAttributeValues: { ':version': 2 } });
    ddb.on(PutCommand).rejects(unmet);
    await expect(points.savePoint(point, 2)).rejects.toThrow(ConflictError);
  });

  test.each([
    ['COMPLETE', undefined, 'LIVE#db/i-1'],
    ['EXPIRED', undefined, 'POINT'],
    ['FAILED', undefined, 'POINT'],
    ['EXPIRED', '2030-02-01T00:00:00Z', undefined],
  ] as const)('%s, cleaned at %s, is indexed as %s', async (state, cleanedAt, work) => {
    await points.savePoint({ ...point, state, cleanedAt, version: 2 }, 1);
    expect(put().Item?.work).toBe(work);
    expect(put().Item?.ttl).toBe(cleanedAt === undefined ? undefined : Date.parse(cleanedAt) / 1000 + 90 * 86_400);
  });

  test('reads give the domain back, page by page, pins as a list', async () => {
    ddb.on(QueryCommand)
      .resolvesOnce({ Items: [{ ...point, pk: 'a', sk: 'b', work: 'POINT', sk2: 'c', pinnedBy: new Set(['r2', 'r1']) }], LastEvaluatedKey: { pk: 'a' } })
      .resolvesOnce({ Items: [{ ...point, pointId: 'p-2', ttl: 5 }] });
    expect(await points.openPoints()).toEqual([{ ...point, pinnedBy: ['r1', 'r2'] }, { ...point, pointId: 'p-2' }]);
    const [first, second] = ddb.commandCalls(QueryCommand).map(({ args }) => args[0].input);
    expect(first).toMatchObject({ IndexName: 'work', ExpressionAttributeValues: { ':work': 'POINT' } });
    expect(second).toMatchObject({ ExclusiveStartKey: { pk: 'a' } });
  });

  test('a pin needs a complete point', async () => {
    ddb.on(UpdateCommand).resolvesOnce({}).rejects(unmet);
    expect(await points.pin(point, 'r1')).toBe(true);
    expect(update()).toMatchObject({
      Key: { pk: 'POINT#db/i-1', sk: '2030-01-01T00:00:00Z#p-1' },
      UpdateExpression: 'ADD #pinnedBy :run, #version :one',
      ConditionExpression: '#state = :complete',
      ExpressionAttributeValues: { ':run': new Set(['r1']), ':one': 1, ':complete': 'COMPLETE' },
    });
    expect(await points.pin(point, 'r1')).toBe(false);
  });
});

describe('the cycle', () => {
  const lock = { executionArn: 'arn:1', cycleId: 'c-1', startedAt: 'now' };

  test('takes a free lock, keeps its own, and says who holds another', async () => {
    expect(await cycles.takeLock(lock)).toBeUndefined();
    ddb.on(PutCommand).rejects(unmet);
    ddb.on(GetCommand).resolvesOnce({ Item: { ...lock, pk: 'LOCK', sk: 'cycle' } }).resolves({ Item: { ...lock, executionArn: 'arn:2' } });
    expect(await cycles.takeLock(lock)).toBeUndefined();
    expect(await cycles.takeLock(lock)).toMatchObject({ executionArn: 'arn:2' });
  });

  test('takes the token and notes the event in one write', async () => {
    ddb.on(UpdateCommand).resolves({ Attributes: { token: 't1' } });
    expect(await cycles.takeToken('now')).toBe('t1');
    expect(update()).toMatchObject({ UpdateExpression: 'SET #eventAt = :at REMOVE #token', ReturnValues: 'ALL_OLD' });
    expect(ddb.calls()).toHaveLength(1);
  });

  test('notes progress in one write, and reads a row of a former version', async () => {
    await cycles.noteProgress('c-1', {});
    expect(ddb.calls()).toHaveLength(0);
    await cycles.noteProgress('c-1', { failed: 1, problems: ['p'], departed: ['db/i-1'] });
    expect(update()).toMatchObject({
      UpdateExpression: 'SET #problems = list_append(#problems, :problems), #departed = :departed ADD #committed :committed, #failed :failed, #moreProblems :moreProblems',
      ExpressionAttributeValues: { ':problems': ['p'], ':departed': ['db/i-1'], ':committed': 0, ':failed': 1, ':moreProblems': 0, ':cycleId': 'c-1' },
    });
    ddb.on(GetCommand).resolves({ Item: { ...lock, pk: 'LOCK', sk: 'cycle', committed: 2, failed: 1, problems: [], absent: [] } });
    expect(await cycles.cycleProgress('c-1')).toEqual({ committed: 2, failed: 1, problems: [], absent: [], departed: [], moreProblems: 0 });
  });

  test('releases its own lock only', async () => {
    ddb.on(DeleteCommand).rejects(unmet);
    await cycles.releaseLock('c-1');
    expect(ddb.commandCalls(DeleteCommand)[0]!.args[0].input).toMatchObject({ ConditionExpression: '#cycleId = :cycleId', ExpressionAttributeValues: { ':cycleId': 'c-1' } });
  });
});

test('members carry the newest point that replication has noted, apart from their settings', async () => {
  ddb.on(QueryCommand, { ExpressionAttributeValues: { ':pk': 'MEMBERS' } }).resolves({ Items: [{ pk: 'MEMBERS', sk: 'db/i-1', memberId: 'db/i-1' }] });
  ddb.on(QueryCommand, { ExpressionAttributeValues: { ':pk': 'PROGRESS' } }).resolves({ Items: [{ pk: 'PROGRESS', sk: 'db/i-1', newestPointAt: 'then' }] });
  expect(await members.members()).toEqual([{ memberId: 'db/i-1', newestPointAt: 'then' }]);
  await members.saveMember({ memberId: 'db/i-1', lastSeenAt: 'now', newestPointAt: 'then' } as EndpointMember);
  expect(put().Item).toEqual({ pk: 'MEMBERS', sk: 'db/i-1', memberId: 'db/i-1', lastSeenAt: 'now' });
});

test('a member is forgotten only while it is missing', async () => {
  await members.removeMember('db/i-1');
  const removed = ddb.commandCalls(DeleteCommand).map(({ args }) => args[0].input);
  expect(removed).toMatchObject([{ Key: { pk: 'PROGRESS', sk: 'db/i-1' } }, { Key: { pk: 'MEMBERS', sk: 'db/i-1' }, ConditionExpression: 'attribute_exists(#missing)' }]);
});

test('a member of a run is written only from the stage that was read', async () => {
  const read = { runId: 'r1', memberId: 'db/i-1', status: 'PLANNED', attempt: 1 } as RunMember;
  await runs.saveRunMember({ ...read, status: 'IMAGE_READY' }, read);
  expect(put()).toMatchObject({ Item: { pk: 'RUN#r1', sk: 'MEMBER#db/i-1' }, ExpressionAttributeValues: { ':status': 'PLANNED', ':attempt': 1 } });
  ddb.on(PutCommand).rejects(unmet);
  await expect(runs.saveRunMember(read, read)).rejects.toThrow('Member db/i-1 of run r1 was changed by another writer');
  await expect(runs.saveRun({ runId: 'r1' } as RunRecord, { executionArn: 'a' } as RunRecord)).rejects.toThrow(ConflictError);
});

test('a step that was begun before keeps its beginning', async () => {
  ddb.on(PutCommand).rejects(unmet);
  ddb.on(GetCommand).resolves({ Item: { pk: 'RUN#r1', sk: 'STEP#a', runId: 'r1', name: 'a', startedAt: '1' } });
  expect(await runs.beginStep({ runId: 'r1', name: 'a', startedAt: '2' })).toEqual({ runId: 'r1', name: 'a', startedAt: '1' });
});

test('evidence takes the place of an earlier one, also a longer one, and never of a later', async () => {
  ddb.on(QueryCommand).resolves({ Items: [{ sk: 'EVIDENCE#0000' }, { sk: 'EVIDENCE#0001' }, { sk: 'EVIDENCE#0002' }] });
  await runs.saveEvidence('r1', '2030-01-01T00:00:00Z', ['{"a":', '1}']);
  const rows = ddb.commandCalls(PutCommand).map(({ args }) => args[0].input);
  expect(rows.map(({ Item }) => Item)).toMatchObject([
    { pk: 'RUN#r1', sk: 'EVIDENCE#0000', text: '{"a":' }, { pk: 'RUN#r1', sk: 'EVIDENCE#0001', text: '1}' }, { pk: 'RUN#r1', sk: 'EVIDENCE#0002', text: '' },
  ]);
  expect(rows[0]).toMatchObject({ ConditionExpression: 'attribute_not_exists(#sk) OR #endedAt <= :endedAt', ExpressionAttributeValues: { ':endedAt': '2030-01-01T00:00:00Z' } });
});
