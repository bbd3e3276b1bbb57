import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, DeleteCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { clientSettings } from '../../runtime/clients';
import { refusing } from '../errors';

export type Item = Record<string, unknown>;

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** A condition or an update, with its names and values. */
export interface Expression {
  readonly text: string;
  readonly names?: Readonly<Record<string, string>>;
  readonly values?: Readonly<Record<string, unknown>>;
}

export interface Update {
  readonly update: Expression;
  readonly condition?: Expression;
}

/** The sparse index of what has work left, of live points by member, and of runs. */
export const WORK_INDEX = 'work';

export const ABSENT: Expression = { text: 'attribute_not_exists(#sk)', names: { '#sk': 'sk' } };

export function documentClient(region: string): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient(clientSettings(region)), {
    marshallOptions: { removeUndefinedValues: true },
  });
}

/** One DynamoDB table: the few calls that the catalogue makes, with an unmet condition as a value instead of an exception. */
export class Table {
  constructor(private readonly client: DynamoDBDocumentClient, private readonly name: string) {}

  async get(key: Key): Promise<Item | undefined> {
    const { Item: item } = await refusing('GetItem', () => this.client.send(new GetCommand({
      TableName: this.name, Key: key, ConsistentRead: true,
    })));
    return item;
  }

  /** False when the condition is not met. */
  async put(item: Item & Key, condition?: Expression): Promise<boolean> {
    return unlessConditionFails(() => refusing('PutItem', () => this.client.send(new PutCommand({
      TableName: this.name, Item: item, ...conditionInput(condition),
    })))).then((answer) => answer !== undefined);
  }

  /** The item as it was before, `{}` when it did not exist, undefined when the condition is not met. */
  async update(key: Key, { update, condition }: Update): Promise<Item | undefined> {
    const answer = await unlessConditionFails(() => refusing('UpdateItem', () => this.client.send(new UpdateCommand({
      TableName: this.name,
      Key: key,
      UpdateExpression: update.text,
      ConditionExpression: condition?.text,
      ExpressionAttributeNames: optional({ ...update.names, ...condition?.names }),
      ExpressionAttributeValues: optional({ ...update.values, ...condition?.values }),
      ReturnValues: 'ALL_OLD',
    }))));
    return answer === undefined ? undefined : answer.Attributes ?? {};
  }

  async remove(key: Key, condition?: Expression): Promise<boolean> {
    return unlessConditionFails(() => refusing('DeleteItem', () => this.client.send(new DeleteCommand({
      TableName: this.name, Key: key, ...conditionInput(condition),
    })))).then((answer) => answer !== undefined);
  }

  /** All items of a partition, read consistently. */
  async partition(pk: string, prefix?: string): Promise<Item[]> {
    return this.pages({
      ConsistentRead: true,
      KeyConditionExpression: prefix === undefined ? '#pk = :pk' : '#pk = :pk AND begins_with(#sk, :sk)',
      ExpressionAttributeNames: prefix === undefined ? { '#pk': 'pk' } : { '#pk': 'pk', '#sk': 'sk' },
      ExpressionAttributeValues: prefix === undefined ? { ':pk': pk } : { ':pk': pk, ':sk': prefix },
    });
  }

  /** All items with this work in the index; eventually consistent. */
  async withWork(work: string): Promise<Item[]> {
    return this.pages({
      IndexName: WORK_INDEX,
      KeyConditionExpression: '#work = :work',
      ExpressionAttributeNames: { '#work': 'work' },
      ExpressionAttributeValues: { ':work': work },
    });
  }

  private async pages(query: Omit<ConstructorParameters<typeof QueryCommand>[0], 'TableName'>): Promise<Item[]> {
    const items: Item[] = [];
    let start: Item | undefined;
    do {
      const page = await refusing('Query', () => this.client.send(new QueryCommand({
        ...query, TableName: this.name, ExclusiveStartKey: start,
      })));
      items.push(...page.Items ?? []);
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    return items;
  }
}

function conditionInput(condition?: Expression) {
  return condition === undefined ? {} : {
    ConditionExpression: condition.text,
    ExpressionAttributeNames: optional(condition.names),
    ExpressionAttributeValues: optional(condition.values),
  };
}

/** DynamoDB refuses an empty map. */
function optional<T extends object>(map: T | undefined): T | undefined {
  return map === undefined || Object.keys(map).length === 0 ? undefined : map;
}

async function unlessConditionFails<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (cause instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

/** Removes the attributes that are the table's and not the domain's. */
export function domainOf<T>(item: Item): T {
  const { pk: _pk, sk: _sk, work: _work, sk2: _sk2, ttl: _ttl, ...rest } = item;
  return rest as T;
}
