// The shop, where a machine that fails alone is replaced in the source Region and takes over what the old one had.
const { App, Duration, RemovalPolicy, Stack } = require('aws-cdk-lib');
const { HostedZone } = require('aws-cdk-lib/aws-route53');
const { Topic } = require('aws-cdk-lib/aws-sns');
const {
  DecisionMode, DisasterRecovery, Endpoint, FailureDetector, ProtectionSchedule, RecoveryHook, RecoveryTarget, Repair, RetentionPolicy, Signal, SwapIn,
} = require('../../../dist/lib');
const { Code, Function: LambdaFunction, Runtime } = require('aws-cdk-lib/aws-lambda');
const { join } = require('node:path');
const { ShopNetwork } = require('../../../dist/bin/shop/network');
const { ShopProduction } = require('../../../dist/bin/shop/production');

const app = new App();
const given = JSON.parse(app.node.getContext('given'));
const production = new ShopProduction(app, 'ShopProduction', { env: { region: 'us-east-1' } });
const stack = new Stack(app, 'ShopRecovery', { env: { region: 'us-west-2' } });
const network = new ShopNetwork(stack, 'Network');
const announce = new LambdaFunction(stack, 'announce', {
  code: Code.fromAsset(join(__dirname, '..', '..', '..', 'dist', 'bin', 'shop', 'functions', 'announce')), handler: 'index.handler', runtime: Runtime.NODEJS_22_X, timeout: Duration.seconds(30),
});
const shop = new DisasterRecovery(stack, 'Shop', {
  projectName: 'shop',
  source: { region: 'us-east-1' },
  objectives: { rpo: Duration.minutes(15), rto: Duration.minutes(30) },
  schedule: ProtectionSchedule.every(Duration.minutes(5)),
  retention: RetentionPolicy.keepLast(3),
  target: RecoveryTarget.inVpc(network.vpc, { subnets: { subnetGroupName: 'Machines' }, securityGroups: [network.machines], instanceRoles: [production.machineRole] }),
  repair: Repair.inSource({ subnets: given.subnets, keepReplaced: Duration.hours(1) }),
  notifications: new Topic(stack, 'Operators'),
  removalPolicy: RemovalPolicy.DESTROY,
});
const zone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: given.zone, zoneName: 'shop.example' });
const db = shop.protect(Endpoint.instance('db', { instance: production.database }));
const backend = shop.protect(Endpoint.instance('app', {
  instance: production.application,
  repair: {
    redeploy: [RecoveryHook.lambda(announce, { name: 'redeploy' })],
    swapIn: [SwapIn.targetGroup(given.targetGroup, { port: 8080 }), SwapIn.elasticIp(given.address), SwapIn.networkInterface(given.networkInterface), SwapIn.record({ hostedZone: zone, recordName: 'app.shop.example' })],
  },
}));
shop.recoverInWaves([db], [backend]);
shop.detectFailure(FailureDetector.quorum(1, [Signal.instanceStatus(backend, { name: 'checks' })], { endpoints: [backend], mode: DecisionMode.automatic(), consecutiveFailures: 2 }));
