import type { ActionTable } from '../requirement';
import { DYNAMODB } from './dynamodb';
import { EC2 } from './ec2';
import { LAMBDA } from './lambda';
import { LOAD_BALANCING } from './load-balancing';
import { CLOUDWATCH, EBS, EVENTS, IAM, KMS, LOGS, SCHEDULER, SNS, STS } from './others';
import { SSM } from './ssm';
import { STATES } from './states';
import { GLOBAL_ACCELERATOR, ROUTE53, ROUTING_CONTROL } from './traffic';

/** By IAM prefix: the calls of which it is known what they require. */
export const ACTIONS: Readonly<Record<string, ActionTable>> = {
  cloudwatch: CLOUDWATCH, dynamodb: DYNAMODB, ebs: EBS, ec2: EC2, events: EVENTS, iam: IAM, kms: KMS, lambda: LAMBDA, logs: LOGS,
  scheduler: SCHEDULER, sns: SNS, ssm: SSM, states: STATES, sts: STS,
  elasticloadbalancing: LOAD_BALANCING, globalaccelerator: GLOBAL_ACCELERATOR, route53: ROUTE53, 'route53-recovery-cluster': ROUTING_CONTROL,
};
