// The whole plan, deciding by itself: detect, fail over, fence, cut over, and come back. The probe looks at what the test serves.
const { App, Duration, RemovalPolicy, Stack } = require('aws-cdk-lib');
const { Topic } = require('aws-cdk-lib/aws-sns');
const {
  DecisionMode, DisasterRecovery, Endpoint, Failback, FailbackVerification, FailureDetector, Fencing, ProtectionSchedule, RecoveryTarget, RetentionPolicy, Signal,
  TrafficCutover, UnreachablePolicy,
} = require('../../../dist/lib');
const { ShopNetwork } = require('../../../dist/bin/shop/network');
const { ShopProduction } = require('../../../dist/bin/shop/production');

const app = new App();
const port = app.node.getContext('port');
const production = new ShopProduction(app, 'ShopProduction', { env: { region: 'us-east-1' } });
const stack = new Stack(app, 'ShopRecovery', { env: { region: 'us-west-2' } });
const network = new ShopNetwork(stack, 'Network');
const shop = new DisasterRecovery(stack, 'Shop', {
  projectName: 'shop',
  source: { region: 'us-east-1' },
  objectives: { rpo: Duration.minutes(15), rto: Duration.minutes(30) },
  schedule: ProtectionSchedule.every(Duration.minutes(5)),
  retention: RetentionPolicy.keepLast(3),
  target: RecoveryTarget.inVpc(network.vpc, { subnets: { subnetGroupName: 'Machines' }, securityGroups: [network.machines], instanceRoles: [production.machineRole] }),
  fencing: Fencing.all(
    Fencing.revokeSessions({ roles: [production.machineRole], whenUnreachable: UnreachablePolicy.accept() }),
    Fencing.stopInstances({ whenUnreachable: UnreachablePolicy.accept() }),
  ),
  failback: Failback.toSource({ verification: FailbackVerification.sample(5), keepReplaced: Duration.hours(1) }),
  notifications: new Topic(stack, 'Operators'),
  removalPolicy: RemovalPolicy.DESTROY,
});
const db = shop.protect(Endpoint.instance('db', { instance: production.database }));
const backend = shop.protect(Endpoint.instance('app', { instance: production.application }));
const web = shop.protect(Endpoint.instances('web', { tag: { app: 'web' } }));
shop.recoverInWaves([db], [backend], [web]);

shop.detectFailure(FailureDetector.quorum(2, [
  Signal.httpProbe(`http://127.0.0.1:${port}/health`, { name: 'storefront', timeout: Duration.seconds(2) }),
  Signal.tcpProbe('127.0.0.1', Number(port), { name: 'port', timeout: Duration.seconds(2) }),
  Signal.instanceStatus(db, { name: 'checks' }),
], { mode: DecisionMode.automatic() }));

// Works without any control plane: that of Route 53 is in the Region that the test takes away.
shop.cutOver(TrafficCutover.healthCheckMetric());
