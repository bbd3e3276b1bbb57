import { dynamoDetection } from '../adapters/catalogue/detection';
import { SnsNotifications } from '../adapters/sns';
import { SfnStarter } from '../adapters/start-execution';
import { endApproval } from '../detect/approval';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('approval-end', (environment) => ({
  approvals: dynamoDetection(environment),
  starter: new SfnStarter(environment.recoveryRegion),
  notifications: new SnsNotifications(environment.recoveryRegion),
}), endApproval);
