import { dynamoDetection } from '../adapters/catalogue/detection';
import { SfnExecutions } from '../adapters/executions';
import { answerByLink } from '../detect/link';
import { handlerOf } from '../runtime/handler';

/** Behind a function URL. Its answers are pages, so what it logs of them is their size. */
export const handler = handlerOf('approve-link', (environment) => ({
  approvals: dynamoDetection(environment),
  executions: new SfnExecutions(environment.recoveryRegion),
}), answerByLink);
