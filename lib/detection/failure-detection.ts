import { Duration, Lazy } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData, type Alarm, type CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, type EventBus } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct, type IConstruct } from 'constructs';
import type { DetectConfig, DetectorConfig } from '../../lambda/core/detection-config';
import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';
import type { ProjectContext } from '../functions/context';
import { MEMORY_MIB, SHORT } from '../functions/cycle-functions';
import * as permissions from '../functions/permissions/detection';
import { WorkflowFunction } from '../functions/workflow-function';
import { failures, runbookAlarm } from '../monitoring/alarms';
import { projectMetric, RecoveryMetric } from '../monitoring/metrics';
import type { Schedules } from '../schedules';
import { ApprovalWorkflow } from './approval-workflow';
import type { FailureDetector } from './failure-detector';
import { ALARM_EVENTS } from './log-pattern-signal';
import type { ProbeNetwork, SignalPlace } from './signal-spec';

/** @internal */
export interface FailureDetectionProps {
  readonly context: ProjectContext;
  /** Where people are told. */
  readonly topic?: ITopic;
  readonly schedules: Schedules;
  readonly bus: EventBus;
  /** Where the source footprint is. */
  readonly source: IConstruct;
  /** The project declares a repair. */
  readonly repair: boolean;
}

/** Looks missed in a row after which the detector is held for silent; at least 5 minutes. */
const MISSED_LOOKS = 3;
const SHORTEST_SILENCE_MINUTES = 5;

/** The detectors of a project: one function that looks at all signals by the clock, and what follows from it. */
export class FailureDetection extends Construct {
  /** The detector has not done its work for 5 minutes, or for three looks where that is longer. */
  readonly silentAlarm: Alarm;
  /** An approval could not be asked for or carried out. Only where a detector asks for approval. */
  approvalFailedAlarm?: Alarm;
  private readonly detectors: FailureDetector[] = [];
  private readonly configs: DetectorConfig[] = [];
  private readonly detect: WorkflowFunction;
  private readonly probes: { readonly network: ProbeNetwork; readonly arn: string }[] = [];
  private approvals?: ApprovalWorkflow;
  private reporting = false;

  /** @internal */
  constructor(scope: Construct, id: string, private readonly props: FailureDetectionProps) {
    super(scope, id);
    const { context, schedules, topic } = props;
    this.detect = new WorkflowFunction(this, 'Detect', {
      context, handler: 'detect', description: 'looks at the signals of the failure detectors', timeout: SHORT, memoryMiB: MEMORY_MIB, permissions: permissions.detect(context),
    });
    const fn = this.detect.function;
    schedules.every('Detect', {
      part: 'detect', description: 'looks at the signals of the failure detectors', interval: Duration.minutes(1),
      expression: ScheduleExpression.expression(Lazy.string({ produce: () => rate(this.intervalMinutes()) })),
      input: { config: Lazy.any({ produce: () => this._config }) },
      action: 'lambda:InvokeFunction', resource: fn.functionArn, target: (given) => new LambdaInvoke(fn, given),
    });
    this.silentAlarm = runbookAlarm(this, 'Silent', 'detector-silent', {
      description: 'The failure detector has not done its work: a failure would not be seen.',
      metric: projectMetric(context.project, context.recoveryRegion, RecoveryMetric.DETECTOR_RUNS, { statistic: 'SampleCount', period: Duration.minutes(1) }),
      threshold: 1, comparison: ComparisonOperator.LESS_THAN_THRESHOLD, periods: SHORTEST_SILENCE_MINUTES, missing: TreatMissingData.BREACHING,
    }, { project: context.project, topic });
    // The shortest interval is known when all detectors are.
    const alarm = this.silentAlarm.node.defaultChild as CfnAlarm;
    alarm.evaluationPeriods = Lazy.number({ produce: () => this.silenceMinutes() });
    alarm.datapointsToAlarm = Lazy.number({ produce: () => this.silenceMinutes() });
  }

  /** The function that takes the answer of a person. Only where a detector asks for approval. @internal */
  get _approve(): ApprovalWorkflow['approve'] | undefined {
    return this.approvals?.approve;
  }

  /** @internal */
  _add(detector: FailureDetector): void {
    const { context, topic } = this.props;
    this.detectors.push(detector);
    const scope = new Construct(this, `Detector${this.detectors.length}`);
    const signals = detector._signals.map((signal, index) => {
      const { config, permissions: needed } = signal._bind(this.place(new Construct(scope, `Signal${index + 1}`)));
      for (const permission of needed) this.detect.allow(permission);
      return config;
    });
    const { _kind: kind, _expiresSeconds: expiresSeconds, _links: links } = detector._mode;
    if (kind === 'automatic') this.detect.allow(permissions.startExecution(context, 'run'));
    if (kind === 'approval') this.askForApproval(links);
    if (topic) for (const permission of permissions.publish(topic, context)) this.detect.allow(permission);
    this.configs.push({
      name: detector._name, policy: detector._policy(context.project), signals,
      ...(detector._endpoints === undefined ? {} : { endpoints: detector._endpoints.map(({ name }) => name) }),
      ...(expiresSeconds === undefined ? {} : { expiresSeconds }),
      ...(this.repairs(detector) ? { action: 'repair' } : {}),
    });
  }

  /** @internal */
  _problems(endpoints: readonly ProtectedEndpoint[]): string[] {
    const { topic } = this.props;
    return [
      ...this.detectors.flatMap((detector) => detector._problems(this.props.context)),
      ...this.detectors.flatMap((detector) => foreign(detector, endpoints)),
      ...this.detectors.filter(({ _mode }) => topic === undefined && _mode._kind !== 'automatic')
        .map(({ _name, _mode }) => `Detector '${_name}' ${_mode._kind === 'approval' ? 'asks for approval' : 'notifies people'}, and there is nobody to tell. Give the project notifications, a topic of the recovery Region.`),
      ...this.detectors.filter(({ _repair, _endpoints }) => _repair === true && (_endpoints === undefined || !this.props.repair))
        .map(({ _name, _endpoints }) => `Detector '${_name}' repairs, and ${_endpoints === undefined ? 'watches the whole project. Name its endpoints' : 'the project declares no repair. Give it repair: Repair.inSource()'}, or leave repair out.`),
      ...twice(this.detectors.map(({ _scope }) => _scope)).map((scope) => `Two detectors watch the same scope, '${scope}': both would decide about one failure. Put their signals into one.`),
      ...twice(this.detectors.map(({ _name }) => _name)).map((name) => `Two detectors are named '${name}'. Give one of them another name.`),
    ];
  }

  /** Ids and texts of what is no error. @internal */
  _warnings(fenced: boolean): [string, string][] {
    return this.detectors.filter(({ _mode }) => _mode._kind === 'automatic').flatMap((detector) => {
      const { _name: name } = detector;
      const { quorum } = detector._policy('');
      const warnings: [string, string][] = [];
      if (!fenced) warnings.push([`automaticWithoutFencing:${name}`, `Detector '${name}' fails over by itself, and the project declares no fencing: a source that only seemed to be down would go on writing beside the recovered side. Declare fencing, or ask for approval.`]);
      if (quorum === 1) warnings.push([`automaticByOneSignal:${name}`, `Detector '${name}' fails over by itself when a single signal shows a failure. Add signals of other kinds and a quorum of at least 2.`]);
      return warnings;
    });
  }

  /** By default what failed alone is repaired where it is, if the project can do that. */
  private repairs({ _endpoints, _repair }: FailureDetector): boolean {
    return _endpoints !== undefined && this.props.repair && _repair !== false;
  }

  private askForApproval(links: boolean): void {
    const { context, topic } = this.props;
    if (this.approvals === undefined) {
      this.approvals = new ApprovalWorkflow(this, 'Approval', { context, topic });
      this.detect.allow(permissions.startExecution(context, 'approval'));
      this.approvalFailedAlarm = runbookAlarm(this, 'ApprovalFailed', 'approval-failed', {
        description: 'An approval of a failover could not be asked for or carried out.', metric: failures(this.approvals.machine, Duration.minutes(1)), threshold: 1,
      }, { project: context.project, topic });
    }
    if (links) this.approvals.allowLinks();
  }

  private place(scope: Construct): SignalPlace {
    const { context, source, bus } = this.props;
    return { scope, context, source, bus, probeFunction: (network) => this.probeFunction(network), recordAlarms: () => { this.recordAlarms(); } };
  }

  /** One for each network. */
  private probeFunction(network: ProbeNetwork): string {
    const { vpc, subnets, securityGroups } = network;
    const same = this.probes.find((one) => one.network.vpc === vpc && one.network.subnets === subnets && one.network.securityGroups === securityGroups);
    if (same) return same.arn;
    const number = this.probes.length + 1;
    const { function: made } = new WorkflowFunction(this, `Probe${number}`, {
      context: this.props.context, handler: 'probe', part: number === 1 ? 'probe' : `probe-${number}`, description: 'probes from inside a VPC',
      timeout: SHORT, memoryMiB: MEMORY_MIB, permissions: permissions.inVpc(), network,
    });
    this.probes.push({ network, arn: made.functionArn });
    return made.functionArn;
  }

  private recordAlarms(): void {
    if (this.reporting) return;
    this.reporting = true;
    const { context, bus } = this.props;
    const report = new WorkflowFunction(this, 'Report', {
      context, handler: 'signal-report', description: 'records what alarms of the source Region become', timeout: SHORT, memoryMiB: MEMORY_MIB, permissions: permissions.signalReport(context),
    });
    new Rule(this, 'Reports', {
      description: `${context.project}: an alarm of the source footprint changed`, eventBus: bus, eventPattern: ALARM_EVENTS, targets: [new LambdaFunction(report.function)],
    });
  }

  /** What the function is told, in the schedule's input. @internal */
  get _config(): DetectConfig {
    const { context, topic } = this.props;
    return {
      project: context.project,
      recoveryRegion: context.recoveryRegion,
      detectors: this.configs,
      runMachineArn: permissions.stateMachineArn(context, 'run'),
      ...(this.approvals === undefined ? {} : { approvalMachineArn: permissions.stateMachineArn(context, 'approval') }),
      ...(topic === undefined ? {} : { topicArn: topic.topicArn }),
    };
  }

  private intervalMinutes(): number {
    return Math.min(...this.detectors.map(({ _intervalSeconds }) => _intervalSeconds)) / 60;
  }

  private silenceMinutes(): number {
    return Math.max(SHORTEST_SILENCE_MINUTES, MISSED_LOOKS * this.intervalMinutes());
  }
}

function rate(minutes: number): string {
  return `rate(${minutes} minute${minutes === 1 ? '' : 's'})`;
}

function twice(names: readonly string[]): string[] {
  return [...new Set(names.filter((one, index) => names.indexOf(one) !== index))];
}

/** Endpoints of another project cannot be failed over, nor looked at. */
function foreign(detector: FailureDetector, endpoints: readonly ProtectedEndpoint[]): string[] {
  const named = [...detector._endpoints ?? [], ...detector._signals.flatMap(({ _endpoint }) => _endpoint ?? [])];
  return named.filter((endpoint) => !endpoints.includes(endpoint)).map(({ name }) => `Detector '${detector._name}' names endpoint '${name}', which is not of this project. Give what protect() of this project answered.`);
}
