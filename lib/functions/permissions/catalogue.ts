import { WORK_INDEX } from '../../catalogue';
import type { ProjectContext } from '../context';
import type { Permission } from './permission';

type Verb = 'GetItem' | 'Query' | 'PutItem' | 'UpdateItem' | 'DeleteItem';

export function catalogue(context: ProjectContext, verbs: readonly Verb[], index?: 'work'): Permission[] {
  return [
    { actions: verbs.map((verb) => `dynamodb:${verb}`), resources: [context.table.tableArn] },
    ...(index ? [{ actions: ['dynamodb:Query'], resources: [`${context.table.tableArn}/index/${WORK_INDEX}`] }] : []),
    // DynamoDB opens a table under a customer key in the caller's name.
    {
      actions: ['kms:Decrypt', 'kms:DescribeKey'],
      resources: [context.key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `dynamodb.${context.recoveryRegion}.amazonaws.com` } },
    },
  ];
}
