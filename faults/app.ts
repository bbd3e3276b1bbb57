import { join } from 'node:path';
import { App, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import {
  DisasterRecovery, Endpoint, Failback, FailbackVerification, Fencing, ProtectionSchedule, RecoveryCheck, RecoveryHook, RecoveryTarget, RetentionPolicy, TrafficCutover, UnreachablePolicy,
} from '../lib';
import { projectRoot } from '../local-cloud/project-root';
import { ENDPOINT, MACHINE_TAG, PROJECT, RECOVERY_REGION, SOURCE_REGION } from './names';

/**
 * The smallest project that has every part: one machine, found by tag, which is
 * fenced, with hooks, two checks, a cutover and a way back. Retention is short, so that every cycle deletes.
 */
const app = new App();
const stack = new Stack(app, 'FaultsRecovery', { env: { region: RECOVERY_REGION } });
const vpc = new Vpc(stack, 'Vpc', {
  maxAzs: 2,
  natGateways: 0,
  restrictDefaultSecurityGroup: false,
  subnetConfiguration: [{ name: 'Machines', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 20 }],
});

function handler(name: string, folder = 'bin/shop'): LambdaFunction {
  return new LambdaFunction(stack, name, {
    code: Code.fromAsset(join(projectRoot(), 'dist', folder, 'functions', name)),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_22_X,
    timeout: Duration.seconds(30),
  });
}

const announce = handler('announce');
const project = new DisasterRecovery(stack, 'Faults', {
  projectName: PROJECT,
  source: { region: SOURCE_REGION },
  objectives: { rpo: Duration.minutes(15), rto: Duration.minutes(30) },
  schedule: ProtectionSchedule.every(Duration.minutes(5)),
  retention: RetentionPolicy.keepLast(2),
  sourceRetention: RetentionPolicy.keepLast(1),
  target: RecoveryTarget.inVpc(vpc, { subnets: { subnetType: SubnetType.PRIVATE_ISOLATED } }),
  fencing: Fencing.stopInstances({ whenUnreachable: UnreachablePolicy.accept() }),
  failback: Failback.toSource({ drain: [RecoveryHook.lambda(announce, { name: 'drain' })], verification: FailbackVerification.allBlocks() }),
  quotas: { snapshotsPerSecond: 50, launchesPerSecond: 20 },
  removalPolicy: RemovalPolicy.DESTROY,
});
project.addWave({
  endpoints: [project.protect(Endpoint.instances(ENDPOINT, { tag: MACHINE_TAG }))],
  after: [RecoveryHook.lambda(announce, { name: 'announce' })],
  checks: [RecoveryCheck.instanceStatus(), RecoveryCheck.lambda(handler('storefront-check'), { name: 'storefront' })],
});
project.cutOver(TrafficCutover.lambda(handler('traffic', 'faults'), { name: 'traffic' }));
