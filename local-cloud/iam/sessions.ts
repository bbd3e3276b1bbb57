import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts';
import { randomBytes } from 'node:crypto';
import type { Session, SessionCredentials } from './session';

/** The service that assumes the role of each kind of session; the role's trust policy must name it. */
export const SERVICE_PRINCIPAL: Readonly<Record<'function' | 'state-machine' | 'rule' | 'schedule', string>> = {
  function: 'lambda.amazonaws.com',
  'state-machine': 'states.amazonaws.com',
  rule: 'events.amazonaws.com',
  schedule: 'scheduler.amazonaws.com',
};

export type AssumingKind = keyof typeof SERVICE_PRINCIPAL;

export interface MintRequest {
  readonly kind: AssumingKind;
  readonly roleArn: string;
  /** The function's, state machine's, rule's or schedule's name. */
  readonly name: string;
  /** In whose behalf the service assumes the role: what trust policies call `aws:SourceArn`. */
  readonly sourceArn: string;
  readonly workerId?: string;
}

/** Says why a service may not assume a role, or undefined when it may. */
export type TrustCheck = (roleArn: string, service: string, sourceArn: string) => Promise<string | undefined>;

/** The sessions whose calls are judged. Credentials that are not in here belong to operators. */
export class Sessions {
  private readonly byAccessKey = new Map<string, Session>();
  private readonly shared = new Map<string, Promise<Session>>();
  private readonly services = new Map<string, Session>();

  public constructor(private readonly sts: STSClient, private readonly trust?: TrustCheck) {}

  public find(accessKeyId: string): Session | undefined {
    return this.byAccessKey.get(accessKeyId);
  }

  /** A session of its own, as each execution environment of a function has one. */
  public async mint({ kind, roleArn, name, workerId, sourceArn }: MintRequest): Promise<Session> {
    const refusal = await this.trust?.(roleArn, SERVICE_PRINCIPAL[kind], sourceArn);
    if (refusal !== undefined) throw new Error(refusal);
    const sessionName = name.replace(/[^\w+=,.@-]/g, '-').slice(0, 64);
    const { Credentials, AssumedRoleUser } = await this.sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName }));
    if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey || !Credentials.SessionToken) throw new Error(`No credentials for ${roleArn}.`);
    const credentials = { accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretAccessKey, sessionToken: Credentials.SessionToken };
    return this.register({
      kind, credentials, roleArn, label: `${kind}:${name}`, principal: AssumedRoleUser?.Arn ?? assumedRoleArn(roleArn, sessionName),
      ...(workerId === undefined ? {} : { workerId }), context: {},
    });
  }

  /** One session for all calls of a role in one capacity: rules, schedules and state machines need no more. */
  public share(request: MintRequest): Promise<Session> {
    const key = `${request.kind} ${request.roleArn} ${request.sourceArn}`;
    const known = this.shared.get(key);
    if (known) return known;
    const minted = this.mint(request).catch((error: unknown) => {
      this.shared.delete(key);
      throw error;
    });
    this.shared.set(key, minted);
    return minted;
  }

  /** A service that calls in its own name, allowed by the target's resource policy alone. */
  public service(principal: string, label: string, context: Record<string, string>): Session {
    const key = JSON.stringify([principal, label, context]);
    const known = this.services.get(key);
    if (known) return known;
    const credentials = { accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`, secretAccessKey: 'none', sessionToken: 'none' };
    const session = this.register({ kind: 'service', credentials, label, principal, context });
    this.services.set(key, session);
    return session;
  }

  /** A role that a judged session has assumed is judged as well. */
  public assumed(by: Session, roleArn: string, principal: string, credentials: SessionCredentials): Session {
    return this.register({ ...by, kind: 'assumed', credentials, roleArn, principal, label: `${by.label}>${roleArn.split('/').at(-1) ?? roleArn}` });
  }

  public forget(session: Session): void {
    this.byAccessKey.delete(session.credentials.accessKeyId);
  }

  private register(session: Session): Session {
    this.byAccessKey.set(session.credentials.accessKeyId, session);
    return session;
  }
}

function assumedRoleArn(roleArn: string, sessionName: string): string {
  return `${roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${sessionName}`;
}
