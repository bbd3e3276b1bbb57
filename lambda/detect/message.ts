import type { ApprovalConfig, DetectConfig, DetectorConfig } from '../core/detection-config';
import type { Decision, Observation } from '../core/detector';
import type { RunMode, RunRequest } from '../core/model';

export interface Message {
  readonly subject: string;
  readonly text: string;
}

/** What a person is asked, as the approval state machine passes it on. */
export interface Question {
  readonly incidentId: string;
  readonly detector: string;
  readonly scope: string;
  readonly decidedAt: string;
  readonly seen: readonly Observation[];
  readonly request: RunRequest;
  readonly expiresSeconds: number;
}

export type Choice = 'approve' | 'refuse';

/** The name of the execution that an incident leads to, and by default the run's id. */
export function executionName(incidentId: string): string {
  return `incident-${incidentId}`;
}

export function automaticMessage(config: DetectConfig, detector: DetectorConfig, decision: Decision, outcome: string): Message {
  return {
    subject: `[${config.project}] ${detector.action === 'repair' ? 'Repair' : 'Failover'} by policy: incident ${decision.incidentId}`,
    text: paragraphs(
      `Detector ${detector.name} has decided to ${verbOf(detector.action)} ${what(detector.endpoints)} of project ${config.project}: ${outcome}.`,
      observed(decision.seen),
      `Follow the execution ${executionName(decision.incidentId)} of ${config.runMachineArn}.`,
    ),
  };
}

export function notifyMessage(config: DetectConfig, detector: DetectorConfig, decision: Decision): Message {
  const input = JSON.stringify({ mode: detector.action ?? 'failover', ...(detector.endpoints ? { endpoints: detector.endpoints } : {}), requestedBy: '<you>' });
  return {
    subject: `[${config.project}] Failure detected: incident ${decision.incidentId}`,
    text: paragraphs(
      `Detector ${detector.name} sees a failure of ${what(detector.endpoints)} of project ${config.project}. Nothing was started${decision.note ? `: ${decision.note}` : ''}.`,
      observed(decision.seen),
      `To ${verbOf(detector.action)}:`,
      `aws stepfunctions start-execution --region ${config.recoveryRegion} --name ${executionName(decision.incidentId)} --state-machine-arn ${config.runMachineArn} --input '${input}'`,
    ),
  };
}

export function questionMessage(config: ApprovalConfig, question: Question, expiresAt: string, link?: (choice: Choice) => string): Message {
  return {
    subject: `[${config.project}] Approve a ${question.request.mode}? Incident ${question.incidentId}`,
    text: paragraphs(
      `Detector ${question.detector} sees a failure and asks whether to ${verbOf(question.request.mode)} ${what(question.request.endpoints)} of project ${config.project}. Without an answer by ${expiresAt} nothing is done.`,
      observed(question.seen),
      `To approve:\n${command(config, question, 'approve')}`,
      `To refuse:\n${command(config, question, 'refuse')}`,
      ...(link ? [`Or in a browser; each page asks again before anything is done.\nApprove: ${link('approve')}\nRefuse: ${link('refuse')}`] : []),
    ),
  };
}

export function answerMessage(project: string, { incidentId }: Question, sentence: string): Message {
  return { subject: `[${project}] Incident ${incidentId}`, text: sentence };
}

function command({ recoveryRegion, approveFunctionName }: ApprovalConfig, { incidentId }: Question, decision: Choice): string {
  const payload = JSON.stringify({ incidentId, decision, by: '<you>' });
  return `aws lambda invoke --region ${recoveryRegion} --function-name ${approveFunctionName} --cli-binary-format raw-in-base64-out --payload '${payload}' /dev/stdout`;
}

function verbOf(mode: RunMode | undefined): string {
  return mode === 'repair' ? 'repair' : 'fail over';
}

function what(endpoints: readonly string[] | undefined): string {
  return endpoints === undefined ? 'all endpoints' : `endpoint${endpoints.length > 1 ? 's' : ''} ${endpoints.join(', ')}`;
}

function observed(seen: readonly Observation[]): string {
  return ['What was seen:', ...seen.map(({ signal, status, at, detail }) => `- ${signal}: ${status} at ${at}: ${detail}`)].join('\n');
}

function paragraphs(...texts: readonly string[]): string {
  return texts.join('\n\n');
}
