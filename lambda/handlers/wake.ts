import { dynamoCatalogue } from '../adapters/catalogue';
import { SfnExecutions } from '../adapters/executions';
import { directionsOf, wake, type SnapshotEvent } from '../cycle/wait';
import { handlerOf } from '../runtime/handler';

/** Target of the rules for EBS snapshot events of both Regions. That something happened, and which way, is all that it takes from the event. */
export const handler = handlerOf('wake', (environment) => ({
  cycles: { forward: dynamoCatalogue(environment).cycles, return: dynamoCatalogue(environment, 'return').cycles },
  executions: new SfnExecutions(environment.recoveryRegion),
  regions: environment,
}), async (event: SnapshotEvent, { cycles, executions, regions }, tools) => {
  let woken = false;
  for (const direction of directionsOf(event, regions)) {
    const answer = await wake({ cycles: cycles[direction], executions }, tools);
    woken ||= answer.woken;
  }
  return { woken };
});
