import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { physicalName } from '../../names';
import type { ProjectContext } from '../context';
import { catalogue } from './catalogue';
import { executionsArn } from './executions';
import { Wide, type Permission } from './permission';

/** What signals need is granted as detectors name them. */
export function detect(context: ProjectContext): Permission[] {
  return [
    ...catalogue(context, ['GetItem', 'Query', 'PutItem']),
    // Whether the run that holds the lease is still at work.
    { actions: ['states:DescribeExecution'], resources: [executionsArn(context, 'run')], wide: Wide.EXECUTIONS },
  ];
}

export function approvalAsk(context: ProjectContext): Permission[] {
  return catalogue(context, ['PutItem']);
}

export function approvalEnd(context: ProjectContext): Permission[] {
  return [...catalogue(context, ['GetItem', 'UpdateItem']), startExecution(context, 'run')];
}

/** Also of the function that answers by link. */
export function approve(context: ProjectContext): Permission[] {
  return [
    ...catalogue(context, ['GetItem', 'UpdateItem']),
    { actions: ['states:SendTaskSuccess'], resources: ['*'], conditions: { StringEquals: { 'aws:RequestedRegion': context.recoveryRegion } }, wide: Wide.TASK_TOKEN },
  ];
}

export function signalReport(context: ProjectContext): Permission[] {
  return catalogue(context, ['PutItem']);
}

/** Lambda asks for these in the function's own name to attach it to its VPC (Lambda developer guide, "Giving Lambda functions access to resources in an Amazon VPC"). */
export function inVpc(): Permission[] {
  return [{
    actions: ['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets', 'ec2:DeleteNetworkInterface', 'ec2:AssignPrivateIpAddresses', 'ec2:UnassignPrivateIpAddresses'],
    resources: ['*'],
    wide: 'Lambda checks that the role of a function in a VPC has these for all resources.',
  }];
}

/** Computed, not referenced: the state machines are declared after the functions. */
export function startExecution(context: ProjectContext, part: 'run' | 'approval'): Permission {
  return { actions: ['states:StartExecution'], resources: [stateMachineArn(context, part)] };
}

export function stateMachineArn({ partition, recoveryRegion, account, project }: ProjectContext, part: 'run' | 'approval'): string {
  return `arn:${partition}:states:${recoveryRegion}:${account}:stateMachine:${physicalName(project, part)}`;
}

/** SNS encrypts with a customer's key in the publisher's name. */
export function publish(topic: ITopic, { recoveryRegion }: ProjectContext): Permission[] {
  const key = topic.masterKey;
  return [
    { actions: ['sns:Publish'], resources: [topic.topicArn] },
    ...(key === undefined ? [] : [{
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn], conditions: { StringEquals: { 'kms:ViaService': `sns.${recoveryRegion}.amazonaws.com` } },
    }]),
  ];
}
