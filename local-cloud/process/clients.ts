import { EC2Client } from '@aws-sdk/client-ec2';
import { IAMClient } from '@aws-sdk/client-iam';
import { STSClient } from '@aws-sdk/client-sts';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** What an SDK client's constructor takes. */
export interface ClientConfig {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly forcePathStyle: true;
}

/** The operator's credentials: whoever uses them is recorded, not judged. */
export const OPERATOR = { accessKeyId: 'AKIAOPERATOR00000000', secretAccessKey: 'operator' } as const;

export function clientConfig(endpoint: string, region: string): ClientConfig {
  return { region, endpoint, credentials: OPERATOR, forcePathStyle: true };
}

/** Clients that the local cloud itself asks the emulator with, past the gateway: neither recorded nor struck by faults. */
export class InnerClients {
  public readonly iam: IAMClient;
  public readonly sts: STSClient;
  private readonly ec2s = new Map<string, EC2Client>();
  private readonly requestHandler = new NodeHttpHandler({ httpAgent: { keepAlive: true, maxSockets: 32 } });

  public constructor(public readonly endpoint: string, homeRegion: string) {
    this.iam = new IAMClient(this.config(homeRegion));
    this.sts = new STSClient(this.config(homeRegion));
  }

  public ec2(region: string): EC2Client {
    const client = this.ec2s.get(region) ?? new EC2Client(this.config(region));
    this.ec2s.set(region, client);
    return client;
  }

  /** A REST or JSON call for which a whole SDK client would be too much; throws when the answer is an error. */
  public async call(service: string, region: string, method: string, path: string, body?: unknown, target?: string): Promise<unknown> {
    const response = await fetch(`${this.endpoint}${path}`, {
      method,
      headers: {
        authorization: authorization(OPERATOR.accessKeyId, region, service),
        ...(target ? { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' } : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${service} ${target ?? `${method} ${path}`} in ${region}: ${response.status} ${text}`);
    return text ? (JSON.parse(text) as unknown) : {};
  }

  public destroy(): void {
    this.iam.destroy();
    this.sts.destroy();
    for (const client of this.ec2s.values()) client.destroy();
    this.requestHandler.destroy();
  }

  private config(region: string): ClientConfig & { requestHandler: NodeHttpHandler } {
    return { ...clientConfig(this.endpoint, region), requestHandler: this.requestHandler };
  }
}

/** A signature header that says who calls; nothing in the local cloud verifies the signature itself. */
export function authorization(accessKeyId: string, region: string, service: string): string {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${day}/${region}/${service}/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`;
}
