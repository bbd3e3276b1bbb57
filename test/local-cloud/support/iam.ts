import { Judge } from '../../../local-cloud/iam/judge';
import type { Key, Lookup } from '../../../local-cloud/iam/lookup';
import type { PolicyDocument } from '../../../local-cloud/iam/requirement';
import { parsePolicy, type RolePolicyStore } from '../../../local-cloud/iam/role-policies';
import type { Session } from '../../../local-cloud/iam/session';

export const ACCOUNT = '123456789012';
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/worker`;

export const SESSION: Session = {
  kind: 'function', label: 'function:worker', roleArn: ROLE, principal: `arn:aws:sts::${ACCOUNT}:assumed-role/worker/worker`, context: {},
  credentials: { accessKeyId: 'ASIATEST', secretAccessKey: 'secret', sessionToken: 'token' },
};

/** What exists in the account, as far as a test needs it. */
export interface Account {
  readonly tags?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly volumes?: Readonly<Record<string, readonly string[]>>;
  readonly snapshotKeys?: Readonly<Record<string, string>>;
  readonly volumeKeys?: Readonly<Record<string, string>>;
  readonly images?: Readonly<Record<string, readonly string[]>>;
  readonly keys?: Readonly<Record<string, Key>>;
  readonly profiles?: Readonly<Record<string, { readonly arn: string; readonly roleArn?: string }>>;
  readonly functionPolicy?: PolicyDocument;
}

export function fakeLookup(account: Account = {}): Lookup {
  const lookup: Partial<Lookup> = {
    ec2Tags: (_, id) => Promise.resolve(new Map(Object.entries(account.tags?.[id] ?? {}))),
    attachmentOf: () => Promise.resolve(undefined),
    volumesOf: (_, id) => Promise.resolve(account.volumes?.[id] ?? []),
    snapshotKey: (_, id) => Promise.resolve(account.snapshotKeys?.[id]),
    volumeKey: (_, id) => Promise.resolve(account.volumeKeys?.[id]),
    imageSnapshots: (_, id) => Promise.resolve(account.images?.[id] ?? []),
    kmsKey: (_, id) => Promise.resolve(account.keys?.[id]),
    instanceProfile: (name) => Promise.resolve(account.profiles?.[name]),
    roleArn: () => Promise.resolve(undefined),
    isManagedEbsKey: () => Promise.resolve(false),
    functionPolicy: () => Promise.resolve(account.functionPolicy),
    busPolicy: () => Promise.resolve(undefined),
  };
  return lookup as Lookup;
}

/** A judge whose one role has these statements. */
export function judgeOf(statements: readonly object[], account: Account = {}, trust: PolicyDocument = { Statement: [] }, named: readonly string[] = []): Judge {
  const policy = parsePolicy(encodeURIComponent(JSON.stringify({ Version: '2012-10-17', Statement: statements })));
  const store: Partial<RolePolicyStore> = {
    get: (roleArn) => Promise.resolve({ roleArn, trust, identity: statements.length > 0 ? [{ name: 'inline', policy }] : [], timed: false, namedPrefixes: new Set(named) }),
    invalidate: () => undefined,
  };
  return new Judge(ACCOUNT, store as RolePolicyStore, fakeLookup(account));
}

export function allow(action: string | readonly string[], resource: string | readonly string[], condition?: object): object {
  return { Effect: 'Allow', Action: action, Resource: resource, ...(condition ? { Condition: condition } : {}) };
}
