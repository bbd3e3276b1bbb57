import { createHash } from 'node:crypto';
import type { Session } from '../iam/session';
import { callAs, jsonCall, type WireAnswer, type WireCall } from '../process/call-as';

/** Something that a rule or a schedule sends to a target. */
export interface Dispatch {
  readonly arn: string;
  /** JSON. */
  readonly input: string;
  /** The same for a repeated delivery of the same thing, so that it starts an execution once. */
  readonly id: string;
  /** Event buses get the event's own parts. */
  readonly event?: Readonly<Record<string, unknown>>;
}

/** The real API call that the target service is called with. */
export function targetCall({ arn, input, id, event }: Dispatch): WireCall {
  const [, , service = '', region = ''] = arn.split(':');
  switch (service) {
    case 'lambda':
      return {
        service, region, path: `/2015-03-31/functions/${encodeURIComponent(arn)}/invocations`, body: input,
        headers: { 'content-type': 'application/json', 'x-amz-invocation-type': 'Event' },
      };
    case 'states':
      return jsonCall(service, region, 'AWSStepFunctions.StartExecution', { stateMachineArn: arn, input, name: executionName(id) });
    case 'events':
      return jsonCall(service, region, 'AWSEvents.PutEvents', { Entries: [busEntry(arn, event ?? {}, input)] });
    case 'sns':
      return {
        service, region, path: '/', headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ Action: 'Publish', Version: '2010-03-31', TopicArn: arn, Message: input }).toString(),
      };
    default:
      throw new Error(`The local cloud cannot deliver to ${arn}: no such kind of target is known.`);
  }
}

export async function sendToTarget(endpoint: string, session: Session, dispatch: Dispatch): Promise<WireAnswer> {
  return callAs(endpoint, session, targetCall(dispatch));
}

function executionName(id: string): string {
  return id.length <= 80 ? id : createHash('sha256').update(id).digest('hex');
}

/** An event that a bus passes on to another one keeps its id, time and Region, which PutEvents cannot say: the emulator takes the original. */
function busEntry(arn: string, event: Readonly<Record<string, unknown>>, input: string): Record<string, unknown> {
  return {
    EventBusName: arn, Source: event.source, DetailType: event['detail-type'], Resources: event.resources, Time: event.time,
    Detail: JSON.stringify(event.detail ?? (JSON.parse(input) as unknown)), OriginalEvent: event,
  };
}
