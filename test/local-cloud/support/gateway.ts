import type { STSClient } from '@aws-sdk/client-sts';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Faults } from '../../../local-cloud/faults/faults';
import { CallLog } from '../../../local-cloud/gateway/call-log';
import { Gateway } from '../../../local-cloud/gateway/gateway';
import { CallPipeline } from '../../../local-cloud/gateway/pipeline';
import { Proxy, readAll } from '../../../local-cloud/gateway/proxy';
import type { Judge } from '../../../local-cloud/iam/judge';
import { Sessions } from '../../../local-cloud/iam/sessions';
import { ACCOUNT } from './iam';

/** Answers AssumeRole with credentials that are all different. */
export function fakeSts(): STSClient {
  let count = 0;
  const send = ({ input }: { input: { RoleArn: string; RoleSessionName: string } }): Promise<unknown> => {
    count += 1;
    return Promise.resolve({
      Credentials: { AccessKeyId: `ASIA${count}`, SecretAccessKey: 'secret', SessionToken: 'token' },
      AssumedRoleUser: { Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${input.RoleArn.split('/').at(-1)}/${input.RoleSessionName}` },
    });
  };
  return { send } as unknown as STSClient;
}

/** A gateway in front of a stand-in for the emulator that counts what reaches it. */
export class TestGateway {
  public readonly calls = new CallLog();
  public readonly faults = new Faults();
  public readonly sessions = new Sessions(fakeSts());
  public readonly killed: string[] = [];
  public readonly reached: { readonly url: string; readonly body: string }[] = [];
  private readonly gateway = new Gateway();
  private upstream!: Server;

  public constructor(private readonly judge?: Judge, private readonly answer: (request: IncomingMessage) => [number, string] = () => [200, '{"ok":true}']) {}

  public get endpoint(): string {
    return this.gateway.endpoint;
  }

  public async open(): Promise<this> {
    this.upstream = createServer((request, response) => {
      void readAll(request).then((body) => {
        this.reached.push({ url: request.url ?? '', body: body.toString('utf8') });
        const [status, text] = this.answer(request);
        response.writeHead(status, { 'content-type': 'application/json' }).end(text);
      });
    });
    await new Promise<void>((resolve) => { this.upstream.listen(0, '127.0.0.1', resolve); });
    await this.gateway.listen();
    const proxy = new Proxy((this.upstream.address() as AddressInfo).port);
    this.gateway.connect(new CallPipeline({
      proxy, log: this.calls, faults: this.faults, sessions: this.sessions, ...(this.judge ? { judge: this.judge } : {}),
      killWorker: (id) => this.killed.push(id) > 0, onDone: () => undefined,
    }), proxy);
    return this;
  }

  /** Calls DynamoDB as an SDK would. */
  public call(operation: string, options: { readonly accessKeyId?: string; readonly region?: string; readonly service?: string; readonly body?: string } = {}): Promise<Response> {
    const { accessKeyId = 'AKIAOPERATOR', region = 'us-west-2', service = 'dynamodb', body = '{"TableName":"t"}' } = options;
    return fetch(this.endpoint, {
      method: 'POST', body,
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
        ...(body.startsWith('Action=') ? { 'content-type': 'application/x-www-form-urlencoded' } : { 'x-amz-target': `X.${operation}`, 'content-type': 'application/x-amz-json-1.0' }),
      },
    });
  }

  public async close(): Promise<void> {
    await this.gateway.close();
    this.upstream.closeAllConnections();
    await new Promise((resolve) => this.upstream.close(resolve));
  }
}
