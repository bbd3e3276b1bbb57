import { dynamoDetection } from '../adapters/catalogue/detection';
import { SnsNotifications } from '../adapters/sns';
import { ask } from '../detect/approval';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('approval-ask', (environment) => ({
  approvals: dynamoDetection(environment),
  notifications: new SnsNotifications(environment.recoveryRegion),
}), ask);
