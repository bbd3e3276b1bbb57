import { App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { DisasterRecovery, Endpoint, ProtectionSchedule, RecoveryTarget, RetentionPolicy, type DisasterRecoveryProps } from '../../../lib';

export const SOURCE = 'us-east-1';
export const RECOVERY = 'us-west-2';
export const ACCOUNT = '111122223333';

/** An imported VPC: nothing to synthesize, everything known. */
export function recoveryVpc(scope: Stack, attributes: Partial<ec2.VpcAttributes> = {}): ec2.IVpc {
  return ec2.Vpc.fromVpcAttributes(scope, 'RecoveryVpc', {
    vpcId: 'vpc-0recovery',
    vpcCidrBlock: '10.20.0.0/16',
    availabilityZones: ['us-west-2a', 'us-west-2b'],
    privateSubnetIds: ['subnet-0a', 'subnet-0b'],
    privateSubnetIpv4CidrBlocks: ['10.20.0.0/20', '10.20.16.0/20'],
    region: RECOVERY,
    ...attributes,
  });
}

export interface Given {
  readonly app: App;
  readonly stack: Stack;
  readonly project: DisasterRecovery;
}

export type Overrides = Partial<DisasterRecoveryProps>;

/** A project with only what is required, and the overrides; protects nothing yet. */
export function emptyProject(overrides: Overrides | ((stack: Stack) => Overrides) = {}, region: string | undefined = RECOVERY): Given {
  // Staging would copy every bundle for every synthesis.
  const app = new App({ analyticsReporting: false, context: { 'aws:cdk:disable-asset-staging': true } });
  const stack = new Stack(app, 'Recovery', { env: region === undefined ? {} : { region } });
  const given = typeof overrides === 'function' ? overrides(stack) : overrides;
  const project = new DisasterRecovery(stack, 'Shop', {
    projectName: 'shop',
    source: { region: SOURCE },
    objectives: { rpo: Duration.minutes(15), rto: Duration.minutes(30) },
    schedule: ProtectionSchedule.every(Duration.minutes(5)),
    retention: RetentionPolicy.keepLast(3),
    target: given.target ?? RecoveryTarget.inVpc(recoveryVpc(stack)),
    ...given,
  });
  return { app, stack, project };
}

/** The same, with one endpoint found by tag. */
export function project(overrides: Overrides | ((stack: Stack) => Overrides) = {}, region?: string): Given {
  const given = emptyProject(overrides, region);
  given.project.protect(Endpoint.instances('web', { tag: { app: 'web' } }));
  return given;
}

export function template({ stack }: Given): Template {
  return Template.fromStack(stack);
}

/** The error of a synthesis that must fail. */
export function synthError({ app }: Given): string {
  try {
    app.synth();
  } catch (error) {
    return String(error);
  }
  return 'synthesis succeeded';
}

/** Runs a declaration that must be refused at once. */
export function thrown(declare: () => unknown): string {
  try {
    declare();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was thrown';
}
