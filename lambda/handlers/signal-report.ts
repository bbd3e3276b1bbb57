import { dynamoDetection } from '../adapters/catalogue/detection';
import { recordReport } from '../detect/report';
import { handlerOf } from '../runtime/handler';

/** Target of the rule for alarms of the source footprint. */
export const handler = handlerOf('signal-report', (environment) => ({ reports: dynamoDetection(environment) }), recordReport);
