import { join } from 'node:path';
import { Duration, RemovalPolicy, Stack, Validations, type StackProps } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import {
  DecisionMode, DisasterRecovery, Endpoint, Failback, FailureDetector, Fencing, InstanceTypePolicy, ProtectionSchedule, RecoveryCheck, RecoveryHook,
  RecoveryTarget, RetentionPolicy, Signal, TrafficCutover, UnreachablePolicy,
} from '../../lib';
import { ShopNetwork } from './network';
import type { ShopProduction } from './production';

export interface ShopRecoveryProps extends StackProps {
  readonly production: ShopProduction;
  readonly sourceRegion: string;
  /** @default - the source machines are stopped; a Region that does not answer is accepted */
  readonly fencing?: Fencing;
}

/** The shop's disaster recovery. */
export class ShopRecovery extends Stack {
  constructor(scope: Construct, id: string, props: ShopRecoveryProps) {
    super(scope, id, props);
    const { production } = props;
    const network = new ShopNetwork(this, 'Network');

    const shop = new DisasterRecovery(this, 'Shop', {
      projectName: 'shop',
      source: { region: props.sourceRegion },
      objectives: { rpo: Duration.minutes(15), rto: Duration.minutes(30) },
      schedule: ProtectionSchedule.every(Duration.minutes(5)),
      retention: RetentionPolicy.tiered({ hourly: 24, daily: 7, weekly: 4, monthly: 12 }),
      target: RecoveryTarget.inVpc(network.vpc, {
        subnets: { subnetGroupName: 'Machines' },
        securityGroups: [network.machines],
        instanceTypes: InstanceTypePolicy.sameAsSource(),
        instanceRoles: [production.machineRole],
      }),
      fencing: props.fencing ?? Fencing.stopInstances({ whenUnreachable: UnreachablePolicy.accept() }),
      failback: Failback.toSource(),
      notifications: this.operators(),
    });

    const database = shop.protect(Endpoint.instance('db', { instance: production.database }));
    const application = shop.protect(Endpoint.instance('app', { instance: production.application }));
    const web = shop.protect(Endpoint.instances('web', { tag: { app: 'web' } }));

    shop.addWave({ endpoints: [database], after: [RecoveryHook.lambda(this.handler('announce'), { name: 'announce' })] });
    shop.addWave({ endpoints: [application] });
    shop.addWave({ endpoints: [web], checks: [RecoveryCheck.instanceStatus(), RecoveryCheck.lambda(this.handler('storefront-check'), { name: 'storefront' })] });
    shop.detectFailure(FailureDetector.quorum(2, [
      Signal.instanceStatus(database), Signal.instanceStatus(application), Signal.replicationLag({ atMost: Duration.minutes(30) }),
    ], { mode: DecisionMode.approval() }));
    shop.cutOver(TrafficCutover.healthCheckMetric());
  }

  private operators(): Topic {
    const topic = new Topic(this, 'Operators', { enforceSSL: true });
    topic.addToResourcePolicy(new PolicyStatement({
      actions: ['sns:Publish'],
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
    }));
    return topic;
  }

  /** A function of the shop's own that the recovery run calls. */
  private handler(name: string): LambdaFunction {
    const logGroup = new LogGroup(this, `${name}-logs`, { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
    const role = new Role(this, `${name}-role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    role.addToPolicy(new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }));
    const handler = new LambdaFunction(this, name, {
      code: Code.fromAsset(join(__dirname, 'functions', name)),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_22_X,
      architecture: Architecture.ARM_64,
      timeout: Duration.seconds(30),
      logGroup,
      role,
    });
    Validations.of(handler).acknowledge({ id: 'AwsSolutions-L1', reason: 'The runtime that the rest of the example uses.' });
    return handler;
  }
}
