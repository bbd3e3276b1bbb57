import type { ApiCall } from '../gateway/call';
import { ACTIONS } from './actions';
import type { Lookup } from './lookup';
import type { Requirement } from './requirement';
import { EC2_ID, type RolePolicyStore } from './role-policies';
import type { Session } from './session';
import { simulate, trusts, type Verdict } from './simulate';

const KEPT_VERDICTS = 20_000;

/** Decides, as IAM does, whether a session's call may be done. */
export class Judge {
  private verdicts = new Map<string, Verdict>();

  public constructor(private readonly account: string, private readonly roles: RolePolicyStore, private readonly lookup: Lookup) {}

  /** Policies have changed. */
  public invalidate(): void {
    this.roles.invalidate();
    this.verdicts = new Map();
  }

  public async judge(session: Session, call: ApiCall): Promise<Verdict> {
    const table = ACTIONS[call.service];
    const requirementsOf = table && Object.hasOwn(table, call.operation) ? table[call.operation] : undefined;
    if (!requirementsOf) {
      return { allowed: false, reason: `The local cloud does not know what ${call.service}:${call.operation} requires; add it to local-cloud/iam/actions.` };
    }
    for (const requirement of await requirementsOf(call, { account: this.account, lookup: this.lookup })) {
      const verdict = await this.decide(session, call, requirement);
      if (!verdict.allowed) return verdict;
    }
    return { allowed: true };
  }

  /** Says why a service may not assume a role, or undefined when it may. */
  public async refusesTrust(roleArn: string, service: string, sourceArn: string): Promise<string | undefined> {
    const { trust } = await this.roles.get(roleArn);
    const trusted = await trusts({ roleArn, account: this.account, trust, service, sourceArn });
    return trusted ? undefined : `The role ${roleArn} does not let ${service} assume it for ${sourceArn}: ${JSON.stringify(trust)}`;
  }

  private async decide(session: Session, call: ApiCall, requirement: Requirement): Promise<Verdict> {
    const role = session.roleArn === undefined ? undefined : await this.roles.get(session.roleArn);
    const key = JSON.stringify([session.principal, session.roleArn, session.context, call.region, requirement]);
    const general = role ? key.replace(EC2_ID, (id, prefix: string) => (role.namedPrefixes.has(prefix) ? id : prefix)) : key;
    const known = role?.timed ? undefined : this.verdicts.get(general) ?? this.verdicts.get(key);
    if (known) return known;
    const subject = {
      principal: session.principal, account: this.account, identity: role?.identity ?? [], ...(role?.boundary ? { boundary: role.boundary } : {}),
    };
    const verdict = await simulate(subject, requirement, { ...this.globalContext(session, call), ...requirement.context });
    if (this.verdicts.size >= KEPT_VERDICTS) this.verdicts.clear();
    // A denial says which resource it is about.
    this.verdicts.set(verdict.allowed ? general : key, verdict);
    return verdict;
  }

  private globalContext(session: Session, call: ApiCall): Record<string, string | string[]> {
    const now = new Date();
    return {
      'aws:RequestedRegion': call.region,
      'aws:CurrentTime': now.toISOString(),
      'aws:EpochTime': String(Math.floor(now.getTime() / 1000)),
      // On AWS the same call goes over TLS.
      'aws:SecureTransport': 'true',
      'aws:ViaAWSService': 'false',
      ...(session.roleArn
        ? { 'aws:PrincipalArn': session.roleArn, 'aws:PrincipalAccount': this.account, 'aws:PrincipalType': 'AssumedRole', 'aws:PrincipalIsAWSService': 'false' }
        : { 'aws:PrincipalIsAWSService': 'true', 'aws:PrincipalServiceName': session.principal, 'aws:SourceAccount': this.account }),
      ...session.context,
    };
  }
}
