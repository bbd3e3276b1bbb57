import { runSimulation, runUnsafeSimulation, type EvaluationResult, type Simulation } from '@cloud-copilot/iam-simulate';
import type { NamedPolicy } from './role-policies';
import type { PolicyDocument, Requirement } from './requirement';

export interface SimulationSubject {
  /** An assumed-role ARN or a service principal. */
  readonly principal: string;
  readonly account: string;
  readonly identity: readonly NamedPolicy[];
  readonly boundary?: NamedPolicy;
}

export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/** Asks IAM's rules about one requirement. Whatever the simulator cannot judge is denied. */
export async function simulate(subject: SimulationSubject, requirement: Requirement, context: Record<string, string | string[]>): Promise<Verdict> {
  const { action, resource, resourcePolicy } = requirement;
  const simulation: Simulation = {
    request: { principal: subject.principal, action, resource: { resource, accountId: subject.account }, contextVariables: context },
    identityPolicies: [...subject.identity],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(resourcePolicy ? { resourcePolicy } : {}),
    ...(subject.boundary ? { permissionBoundaryPolicies: [subject.boundary] } : {}),
  };
  if (requirement.unusualArn) return verdictOf(subject, requirement, runUnsafeSimulation(simulation, {}));
  const result = await runSimulation(simulation, {});
  if (result.resultType === 'error') return { allowed: false, reason: denial(subject, requirement, `it cannot be judged (${describeErrors(result.errors)})`) };
  return verdictOf(subject, requirement, result.overallResult);
}

function verdictOf(subject: SimulationSubject, requirement: Requirement, result: EvaluationResult): Verdict {
  if (result === 'Allowed') return { allowed: true };
  const explicit = result === 'ExplicitlyDenied';
  return { allowed: false, reason: denial(subject, requirement, explicit ? 'with an explicit deny' : `because no policy allows the ${requirement.action} action`) };
}

/** A service principal with a Region (`states.us-east-1.amazonaws.com`) stands for the same service. */
const REGIONAL_PRINCIPAL = /"([a-z0-9-]+)\.[a-z]{2}(?:-[a-z]+)+-\d\.amazonaws\.com"/g;

export interface TrustQuestion {
  readonly roleArn: string;
  readonly account: string;
  readonly trust: PolicyDocument;
  /** A service principal. */
  readonly service: string;
  /** What the service assumes the role for. */
  readonly sourceArn: string;
}

/** Whether a role's trust policy lets a service assume it. */
export async function trusts({ roleArn, account, trust, service, sourceArn }: TrustQuestion): Promise<boolean> {
  const resourcePolicy = JSON.parse(JSON.stringify(trust).replace(REGIONAL_PRINCIPAL, '"$1.amazonaws.com"')) as PolicyDocument;
  const verdict = await simulate(
    { principal: service, account, identity: [] },
    { action: 'sts:AssumeRole', resource: roleArn, context: {}, resourcePolicy },
    { 'aws:SourceAccount': account, 'aws:SourceArn': sourceArn },
  );
  return verdict.allowed;
}

function denial({ principal }: SimulationSubject, { action, resource }: Requirement, why: string): string {
  return `User: ${principal} is not authorized to perform: ${action} on resource: ${resource} ${why}`;
}

function describeErrors(errors: { readonly message: string } & object): string {
  const { message, ...details } = errors;
  return Object.keys(details).length === 0 ? message : `${message}: ${JSON.stringify(details)}`;
}
