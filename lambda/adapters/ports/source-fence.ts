/** A machine of the old side as EC2 describes it. */
export interface OldMachine {
  readonly instanceId: string;
  /** `pending`, `running`, `shutting-down`, `terminated`, `stopping`, `stopped`. */
  readonly state: string;
  readonly securityGroupIds: readonly string[];
  /** Of its last start. */
  readonly launchTime?: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Machines in the source Region, to keep them from writing. Time-outs are short: a Region that is gone must cost seconds. */
export interface SourceFence {
  /** Those that EC2 does not show are left out. */
  machines(ids: readonly string[]): Promise<OldMachine[]>;
  /** Not terminated, with all of the tags. */
  machinesWithTags(tags: Readonly<Record<string, string>>): Promise<OldMachine[]>;
  /** @param force the machine is switched off without its system being asked */
  stop(ids: readonly string[], force: boolean): Promise<void>;
  setSecurityGroups(instanceId: string, groupIds: readonly string[]): Promise<void>;
}

/** Inline policies of roles. */
export interface RolePolicies {
  /** The document, or undefined where there is none of that name. */
  policy(roleName: string, policyName: string): Promise<string | undefined>;
  putPolicy(roleName: string, policyName: string, document: string): Promise<void>;
  deletePolicy(roleName: string, policyName: string): Promise<void>;
}
