import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { clientSettings } from '../runtime/clients';
import { refusing } from './errors';
import type { FunctionAnswer, Functions } from './ports/services';

export class LambdaFunctions implements Functions {
  constructor(private readonly region: string) {}

  /**
   * The client of the call has the call's time-out, and does not repeat an invocation whose answer was lost: the user's
   * function would run a second time beside the first. A step that is run again passes the same idempotency key.
   */
  async invoke(functionArn: string, payload: unknown, timeoutMs: number): Promise<FunctionAnswer> {
    const client = new LambdaClient(clientSettings(this.region, { requestTimeoutMs: timeoutMs, maxAttempts: 1 }));
    try {
      const answer = await refusing('Invoke', () => client.send(new InvokeCommand({
        FunctionName: functionArn, InvocationType: 'RequestResponse', Payload: Buffer.from(JSON.stringify(payload)),
      })));
      const text = answer.Payload === undefined ? '' : Buffer.from(answer.Payload).toString('utf8');
      const parsed = parse(text);
      return answer.FunctionError === undefined ? { payload: parsed } : { payload: parsed, error: errorText(parsed, answer.FunctionError) };
    } finally {
      client.destroy();
    }
  }
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function errorText(payload: unknown, kind: string): string {
  if (typeof payload === 'object' && payload !== null && 'errorMessage' in payload) return `${kind}: ${String(payload.errorMessage)}`;
  return kind;
}
