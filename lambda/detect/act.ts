import type { DetectConfig, DetectorConfig } from '../core/detection-config';
import type { Decision } from '../core/detector';
import type { RunRequest } from '../core/model';
import type { Notifications, Starter } from '../adapters/ports/detection';
import type { Tools } from '../runtime/tools';
import { automaticMessage, executionName, notifyMessage, type Message, type Question } from './message';

export interface ActPorts {
  readonly starter: Starter;
  readonly notifications: Notifications;
}

/** A decision cannot be carried out as the project is deployed. */
export class NotConfigured extends Error {
  override readonly name = 'NotConfigured';
}

/**
 * Carries a decision out, and says what came of it. All of it follows from the decision alone and executions are named after
 * the incident, so that doing it twice starts nothing twice; people may be told twice.
 */
export async function act(config: DetectConfig, detector: DetectorConfig, decision: Decision, ports: ActPorts, tools: Tools): Promise<string> {
  switch (decision.kind) {
    case 'automatic': return failOver(config, detector, decision, ports, tools);
    case 'approval': return askForApproval(config, detector, decision, ports);
    case 'notify':
      await tell(config, notifyMessage(config, detector, decision), ports);
      return `people were told${decision.note ? `, since ${decision.note}` : ''}`;
  }
}

async function failOver(config: DetectConfig, detector: DetectorConfig, decision: Decision, ports: ActPorts, tools: Tools): Promise<string> {
  const name = executionName(decision.incidentId);
  const outcome = started(name, await ports.starter.start(config.runMachineArn, name, requestOf(detector)));
  try {
    if (config.topicArn !== undefined) await tell(config, automaticMessage(config, detector, decision, outcome), ports);
  } catch (error) {
    // The run goes on whether or not somebody hears of it.
    tools.log.warn('Nobody could be told of the failover', { error });
  }
  return outcome;
}

async function askForApproval(config: DetectConfig, detector: DetectorConfig, decision: Decision, { starter }: ActPorts): Promise<string> {
  const { approvalMachineArn } = config;
  const { expiresSeconds } = detector;
  if (approvalMachineArn === undefined || expiresSeconds === undefined) throw new NotConfigured(`Detector ${detector.name} asks for approval, and the project has no approval workflow. Deploy it again.`);
  const question: Question = {
    incidentId: decision.incidentId, detector: detector.name, scope: detector.policy.scope, decidedAt: decision.at, seen: decision.seen, request: requestOf(detector), expiresSeconds,
  };
  const name = executionName(decision.incidentId);
  return `approval ${started(name, await starter.start(approvalMachineArn, name, question))}`;
}

function requestOf({ name, endpoints, action }: DetectorConfig): RunRequest {
  return { mode: action ?? 'failover', requestedBy: `detector ${name}`, ...(endpoints === undefined ? {} : { endpoints }) };
}

function started(name: string, isNew: boolean): string {
  return isNew ? `execution ${name} was started` : `execution ${name} had been started before`;
}

async function tell({ topicArn }: DetectConfig, { subject, text }: Message, { notifications }: ActPorts): Promise<void> {
  if (topicArn === undefined) throw new NotConfigured('There is no topic to tell people by. Give the project notifications and deploy it again.');
  await notifications.publish(topicArn, subject, text);
}
