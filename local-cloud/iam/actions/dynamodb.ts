import type { ApiCall } from '../../gateway/call';
import { list, onEverything, record, text, type ActionContext, type ActionTable, type Requirement, type Requirements } from '../requirement';

function tableArn(call: ApiCall, context: ActionContext, name: string): string {
  return name.startsWith('arn:') ? name : `arn:aws:dynamodb:${call.region}:${context.account}:table/${name}`;
}

function need(action: string, resource: string, facts: Record<string, string | string[]> = {}): Requirement {
  return { action: `dynamodb:${action}`, resource, context: facts };
}

/** What the request says about itself, for conditions. */
function facts(call: ApiCall): Record<string, string> {
  const { Select, ReturnValues, ReturnConsumedCapacity } = call.json;
  return Object.fromEntries(Object.entries({ 'dynamodb:Select': Select, 'dynamodb:ReturnValues': ReturnValues, 'dynamodb:ReturnConsumedCapacity': ReturnConsumedCapacity })
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

const onTable: Requirements = (call, context) => [need(call.operation, tableArn(call, context, text(call.json.TableName)), facts(call))];

/** A query of an index is a permission on the index, not on the table. */
const onTableOrIndex: Requirements = (call, context) => {
  const table = tableArn(call, context, text(call.json.TableName));
  const index = text(call.json.IndexName);
  return [need(call.operation, index ? `${table}/index/${index}` : table, facts(call))];
};

const onRequestItems: Requirements = (call, context) =>
  Object.keys(record(call.json.RequestItems)).map((name) => need(call.operation, tableArn(call, context, name), facts(call)));

/** A transaction has no permission of its own: each of its items needs that of its single operation. */
const ITEM_ACTION: Readonly<Record<string, string>> = {
  Put: 'PutItem', Update: 'UpdateItem', Delete: 'DeleteItem', ConditionCheck: 'ConditionCheckItem', Get: 'GetItem',
};

const onTransaction: Requirements = (call, context) => {
  const needed = new Map<string, Requirement>();
  for (const item of list(call.json.TransactItems)) {
    for (const [kind, body] of Object.entries(record(item))) {
      const requirement = need(ITEM_ACTION[kind] ?? kind, tableArn(call, context, text(record(body).TableName)));
      needed.set(`${requirement.action} ${requirement.resource}`, requirement);
    }
  }
  return [...needed.values()];
};

/** Service Authorization Reference, "Actions, resources, and condition keys for Amazon DynamoDB". */
export const DYNAMODB: ActionTable = {
  GetItem: onTable,
  PutItem: onTable,
  UpdateItem: onTable,
  DeleteItem: onTable,
  DescribeTable: onTable,
  DescribeTimeToLive: onTable,
  DescribeContinuousBackups: onTable,
  Query: onTableOrIndex,
  Scan: onTableOrIndex,
  BatchGetItem: onRequestItems,
  BatchWriteItem: onRequestItems,
  TransactGetItems: onTransaction,
  TransactWriteItems: onTransaction,
  ListTables: onEverything('dynamodb'),
};
