import { RemovalPolicy, type Duration } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcards } from '../acknowledge';
import { physicalName } from '../names';
import { bundledHandler } from './assets';
import type { ProjectContext } from './context';
import type { Permission } from './permissions/permission';

export interface WorkflowFunctionProps {
  readonly context: ProjectContext;
  /** Name of the handler, which is that of its bundle. */
  readonly handler: string;
  readonly description: string;
  readonly timeout: Duration;
  readonly memoryMiB: number;
  readonly permissions: readonly Permission[];
  /** Of the function, where there are several with one handler. @default - that of the handler */
  readonly part?: string;
  /** The network that it runs in; its permissions must let Lambda attach it. @default - none */
  readonly network?: { readonly vpc: IVpc; readonly subnets?: SubnetSelection; readonly securityGroups?: readonly ISecurityGroup[] };
}

/** One function with a role, log group and statements of its own. */
export class WorkflowFunction extends Construct {
  readonly function: LambdaFunction;
  private readonly role: Role;
  private readonly granted = new Set<string>();

  constructor(scope: Construct, id: string, props: WorkflowFunctionProps) {
    super(scope, id);
    const { context, network } = props;
    const functionName = physicalName(context.project, props.part ?? props.handler);
    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${functionName}`, retention: context.logRetention, removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com'), description: `${context.project}: ${props.description}` });
    this.allow({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] });
    for (const permission of props.permissions) this.allow(permission);
    this.function = new LambdaFunction(this, 'Function', {
      functionName,
      description: `${context.project}: ${props.description}`,
      code: bundledHandler(props.handler),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_22_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memoryMiB,
      timeout: props.timeout,
      // In a VPC the CDK would add a managed policy, which allows logs of everything.
      role: network === undefined ? this.role : this.role.withoutPolicyUpdates(),
      ...(network === undefined ? {} : { vpc: network.vpc, vpcSubnets: network.subnets, securityGroups: network.securityGroups && [...network.securityGroups] }),
      logGroup,
      environment: {
        DR_PROJECT: context.project,
        DR_TABLE: context.table.tableName,
        DR_SOURCE_REGION: context.sourceRegion,
        DR_RECOVERY_REGION: context.recoveryRegion,
      },
    });
    acknowledge(this.function, 'AwsSolutions-L1', 'Node.js 22 is the runtime that the handlers are built and tested for; it is supported until April 2027.');
  }

  /** Adds a statement; the same one twice is added once. */
  allow(permission: Permission): void {
    const { actions, resources, conditions, wide } = permission;
    const key = JSON.stringify({ actions, resources, conditions });
    if (this.granted.has(key)) return;
    this.granted.add(key);
    this.role.addToPolicy(new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: [...resources], conditions }));
    if (wide !== undefined) acknowledgeWildcards(this.role, resources, wide);
  }
}
