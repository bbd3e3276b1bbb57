import { App, Duration, Stack } from 'aws-cdk-lib';
import { Vpc, SubnetType } from 'aws-cdk-lib/aws-ec2';
import { DisasterRecovery, Endpoint, ProtectionSchedule, RecoveryTarget, RetentionPolicy } from '../lib';

/** A project with one endpoint found by tag: the same template for every size of the fleet. */
const app = new App();
const stack = new Stack(app, 'BenchRecovery', { env: { region: 'us-west-2' } });
const vpc = new Vpc(stack, 'Vpc', {
  maxAzs: 2,
  natGateways: 0,
  subnetConfiguration: [{ name: 'Machines', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 20 }],
});
const bench = new DisasterRecovery(stack, 'Bench', {
  projectName: 'bench',
  source: { region: 'us-east-1' },
  objectives: { rpo: Duration.hours(4), rto: Duration.hours(4) },
  // The emulator is slower than AWS with a thousand machines; a cycle must not be cut off by its deadline.
  schedule: ProtectionSchedule.every(Duration.hours(1)),
  retention: RetentionPolicy.keepLast(1),
  sourceRetention: RetentionPolicy.keepLast(1),
  target: RecoveryTarget.inVpc(vpc, { subnets: { subnetType: SubnetType.PRIVATE_ISOLATED } }),
  quotas: { copyConcurrency: 2000, snapshotsPerSecond: 200 },
});
bench.protect(Endpoint.instances('fleet', { tag: { fleet: 'bench' } }));
