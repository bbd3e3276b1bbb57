import {
  GetPolicyCommand, GetPolicyVersionCommand, GetRoleCommand, GetRolePolicyCommand, ListAttachedRolePoliciesCommand, ListRolePoliciesCommand, type IAMClient,
} from '@aws-sdk/client-iam';
import type { PolicyDocument } from './requirement';
import { NEW_ID } from './requirement';

export interface NamedPolicy { readonly name: string; readonly policy: PolicyDocument }

/** What decides about a role's calls, as it is deployed now. */
export interface RolePolicies {
  readonly roleArn: string;
  readonly trust: PolicyDocument;
  readonly identity: readonly NamedPolicy[];
  readonly boundary?: NamedPolicy;
  /** Some condition depends on the time, so decisions must not be kept. */
  readonly timed: boolean;
  /** Id prefixes (`vol`) of which the policies name single ids; for all others one id is as good as another. */
  readonly namedPrefixes: ReadonlySet<string>;
}

/** EC2's resource ids. */
export const EC2_ID = /\b([a-z]+)-[0-9a-f]{8,17}\b/g;

/**
 * IAM gives documents URL-encoded. `${*}`, a policy's way to name a resource that does not exist yet, becomes our name of one.
 * All types and names of a service (`:*` + `/*`), which EC2's own examples use, is written the way the simulator takes it.
 */
export function parsePolicy(document: string | undefined): PolicyDocument {
  const text = decodeURIComponent(document ?? '{"Statement":[]}').replaceAll('${*}', NEW_ID).replaceAll(':*/*"', ':*"');
  return JSON.parse(text) as PolicyDocument;
}

/** Reads roles with their inline and attached policies, and keeps them until IAM changes. */
export class RolePolicyStore {
  private readonly roles = new Map<string, Promise<RolePolicies>>();

  public constructor(private readonly iam: IAMClient) {}

  public get(roleArn: string): Promise<RolePolicies> {
    const known = this.roles.get(roleArn);
    if (known) return known;
    const loaded = this.load(roleArn).catch((error: unknown) => {
      this.roles.delete(roleArn);
      throw error;
    });
    this.roles.set(roleArn, loaded);
    return loaded;
  }

  public invalidate(): void {
    this.roles.clear();
  }

  private async load(roleArn: string): Promise<RolePolicies> {
    const RoleName = roleArn.split('/').at(-1) ?? roleArn;
    const [{ Role }, inline, attached] = await Promise.all([
      this.iam.send(new GetRoleCommand({ RoleName })),
      this.iam.send(new ListRolePoliciesCommand({ RoleName, MaxItems: 1000 })),
      this.iam.send(new ListAttachedRolePoliciesCommand({ RoleName, MaxItems: 1000 })),
    ]);
    const identity = await Promise.all([
      ...(inline.PolicyNames ?? []).map(async (PolicyName): Promise<NamedPolicy> => {
        const { PolicyDocument } = await this.iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
        return { name: PolicyName, policy: parsePolicy(PolicyDocument) };
      }),
      ...(attached.AttachedPolicies ?? []).map(({ PolicyArn }) => this.managed(PolicyArn ?? '')),
    ]);
    const text = JSON.stringify(identity);
    const boundaryArn = Role?.PermissionsBoundary?.PermissionsBoundaryArn;
    return {
      roleArn,
      trust: parsePolicy(Role?.AssumeRolePolicyDocument),
      identity,
      ...(boundaryArn ? { boundary: await this.managed(boundaryArn) } : {}),
      timed: /aws:(CurrentTime|EpochTime|TokenIssueTime)/i.test(text),
      namedPrefixes: new Set([...text.matchAll(/\b([a-z]+)-[0-9a-f?]/g)].map(([, prefix = '']) => prefix)),
    };
  }

  private async managed(PolicyArn: string): Promise<NamedPolicy> {
    const { Policy } = await this.iam.send(new GetPolicyCommand({ PolicyArn }));
    const { PolicyVersion } = await this.iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: Policy?.DefaultVersionId ?? 'v1' }));
    return { name: PolicyArn, policy: parsePolicy(PolicyVersion?.Document) };
  }
}
