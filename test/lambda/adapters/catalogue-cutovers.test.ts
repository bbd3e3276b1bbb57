import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { DynamoCutovers } from '../../../lambda/adapters/catalogue/cutovers';
import { documentClient, Table } from '../../../lambda/adapters/catalogue/table';
import type { CutoverRecord } from '../../../lambda/core/cutover';

const dynamo = mockClient(DynamoDBDocumentClient);
const store = new DynamoCutovers(new Table(documentClient('us-west-2'), 'catalogue'));
const record: CutoverRecord = { runId: 'run-1', name: 'dns', kind: 'metric', status: 'PLANNED', attempt: 1, executionName: 'e', startedAt: '2030-01-01T00:00:00Z' };

beforeEach(() => dynamo.reset());

test('a row is made once, and changed only as it was read', async () => {
  dynamo.on(PutCommand).resolves({});
  await store.saveCutover(record, undefined);
  await store.saveCutover({ ...record, status: 'READY', before: { a: 1 } }, record);
  const [made, changed] = dynamo.commandCalls(PutCommand).map(({ args }) => args[0].input);
  expect(made).toMatchObject({ Item: { ...record, pk: 'RUN#run-1', sk: 'CUTOVER#dns' }, ConditionExpression: 'attribute_not_exists(#sk)' });
  expect(changed).toMatchObject({ ConditionExpression: '#status = :status AND #attempt = :attempt', ExpressionAttributeValues: { ':status': 'PLANNED', ':attempt': 1 } });
});

test('another writer who was faster is a conflict', async () => {
  dynamo.on(PutCommand).rejects(new ConditionalCheckFailedException({ message: 'no', $metadata: {} }));
  await expect(store.saveCutover(record, record)).rejects.toMatchObject({ name: 'ConflictError', message: expect.stringContaining('Cutover dns of run run-1') });
});

test('rows are read without the keys of the table', async () => {
  dynamo.on(QueryCommand).resolves({ Items: [{ ...record, pk: 'RUN#run-1', sk: 'CUTOVER#dns' }] });
  expect(await store.cutovers('run-1')).toEqual([record]);
  expect(dynamo.commandCalls(QueryCommand)[0]!.args[0].input).toMatchObject({ ConsistentRead: true, ExpressionAttributeValues: { ':pk': 'RUN#run-1', ':sk': 'CUTOVER#' } });
});
