/** What a session was minted for. */
export type SessionKind = 'function' | 'state-machine' | 'rule' | 'schedule' | 'service' | 'assumed';

/** Temporary credentials as SDKs take them. */
export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** A judged principal: whoever holds these credentials acts with this role's policies. */
export interface Session {
  readonly kind: SessionKind;
  readonly credentials: SessionCredentials;
  /** As the call log names it. */
  readonly label: string;
  /** Absent for a service that acts by itself (EventBridge calling a function by its resource policy). */
  readonly roleArn?: string;
  /** The assumed-role ARN, or the service principal. */
  readonly principal: string;
  /** The worker process that holds the credentials, for `kill-caller`. */
  readonly workerId?: string;
  /** Context keys of every call of the session, e.g. `aws:SourceArn`. */
  readonly context: Readonly<Record<string, string>>;
}
