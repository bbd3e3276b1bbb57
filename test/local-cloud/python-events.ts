import type { PythonEmulator } from './python-emulator';

/** EventBridge by its JSON protocol, so that no SDK client is installed for a test. */
export class EventBridgeClientLike {
  constructor(private readonly emulator: PythonEmulator, private readonly region: string) {}

  async call(operation: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
    const response = await fetch(this.emulator.endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `AWSEvents.${operation}`,
        authorization: `AWS4-HMAC-SHA256 Credential=AKIAEXAMPLEEXAMPLE00/20250101/${this.region}/events/aws4_request, SignedHeaders=host, Signature=x`,
      },
      body: JSON.stringify(input),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text ? (JSON.parse(text) as Record<string, unknown>) : {};
  }
}

let number = 0;

/** A rule whose deliveries the test sees. */
export async function putRule(client: EventBridgeClientLike, pattern: Record<string, unknown>, bus = 'default', arn = 'arn:aws:lambda:us-west-2:123456789012:function:wake') {
  const name = `rule-${++number}`;
  await client.call('PutRule', { Name: name, EventBusName: bus, EventPattern: JSON.stringify(pattern) });
  await client.call('PutTargets', { Rule: name, EventBusName: bus, Targets: [{ Id: 't', Arn: arn }] });
  return name;
}
