import type { Stack } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { DetectConfig } from '../../../lambda/core/detection-config';
import { Endpoint, FailureDetector, Signal, type FailureDetectorOptions, type ProtectedEndpoint } from '../../../lib';
import { flat } from './asl';
import { emptyProject, project, template, type Given, type Overrides } from './project';

export const probes = (): Signal[] => [Signal.httpProbe('https://shop.example/health'), Signal.tcpProbe('shop.example', 443)];
export const told = (stack: Stack): Overrides => ({ notifications: new Topic(stack, 'Operators') });

export interface Declared extends Given { readonly endpoint: ProtectedEndpoint }

export function declared(detector: (given: Declared) => FailureDetector, overrides: Overrides | ((stack: Stack) => Overrides) = told): Declared {
  const given = emptyProject(overrides);
  const all = { ...given, endpoint: given.project.protect(Endpoint.instances('web', { tag: { app: 'web' } })) };
  all.project.detectFailure(detector(all));
  return all;
}

export const quorum = (options: FailureDetectorOptions = {}, signals = probes(), needed = 2) => declared(() => FailureDetector.quorum(needed, signals, options));
export const schedule = (rendered: Template): any => Object.values(rendered.findResources('AWS::Scheduler::Schedule')).find(({ Properties }) => Properties.Name.endsWith('-detect'))!.Properties;
export const configOf = (given: Given): DetectConfig => (JSON.parse(flat(schedule(template(given)).Target.Input)) as { config: DetectConfig }).config;
export const only = (given: Given) => configOf(given).detectors[0]!;
export const functionNames = (rendered: Template): string[] => Object.values(rendered.findResources('AWS::Lambda::Function')).map(({ Properties }) => Properties.FunctionName.replace('disaster-recovery-shop-', ''));
/** Functions that a project without a detector does not have. */
export const added = (rendered: Template): string[] => functionNames(rendered).filter((name) => !plain.includes(name)).sort();
const plain = functionNames(template(project()));

export const LOGS = 'logs:CreateLogStream logs:PutLogEvents -> LOGS';
export const TABLE_KEY = 'kms:Decrypt kms:DescribeKey -> KEY [kms:ViaService=dynamodb.us-west-2.amazonaws.com]';
