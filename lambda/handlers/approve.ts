import { dynamoDetection } from '../adapters/catalogue/detection';
import { SfnExecutions } from '../adapters/executions';
import { answer } from '../detect/approval';
import { handlerOf } from '../runtime/handler';

/** For operators: `{ incidentId, decision: 'approve' | 'refuse', by, acceptUnreachable? }`. */
export const handler = handlerOf('approve', (environment) => ({
  approvals: dynamoDetection(environment),
  executions: new SfnExecutions(environment.recoveryRegion),
}), answer);
