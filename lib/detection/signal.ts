import { Token } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';
import { partNameProblem } from '../names';
import { alarmSignal, instanceStatus, lambdaSignal, metricSignal } from './aws-signals';
import { agentHeartbeat, replicationLag } from './catalogue-signals';
import { logPattern } from './log-pattern-signal';
import { httpProbe, tcpProbe } from './probe-signals';
import type {
  AgentHeartbeatOptions, HttpProbeOptions, InstanceStatusOptions, LambdaSignalOptions, LogPatternOptions, MetricSignalOptions, ProbeOptions,
  ReplicationLagOptions, SignalOptions,
} from './signal-options';
import type { BoundSignal, SignalPlace, SignalSpec } from './signal-spec';

/**
 * Something by which a failure shows, observed from the recovery Region. A signal that cannot be read is unknown; what that
 * counts as is said by the detector.
 */
export class Signal {
  /**
   * An HTTP or HTTPS request from the recovery Region, over a new connection, without following redirects.
   * @param url of a public address, or with `vpc` of one that can be reached from inside it
   */
  static httpProbe(url: string, options: HttpProbeOptions = {}): Signal {
    return new Signal(httpProbe(url, options), options);
  }

  /** A TCP connection from the recovery Region. */
  static tcpProbe(host: string, port: number, options: ProbeOptions = {}): Signal {
    return new Signal(tcpProbe(host, port, options), options);
  }

  /** EC2's status checks of the endpoint's machines in the source Region. */
  static instanceStatus(endpoint: ProtectedEndpoint, options: InstanceStatusOptions = {}): Signal {
    return new Signal(instanceStatus(endpoint, options), options);
  }

  /** The age of the newest heartbeat of the project's agents. Unknown while no agent has ever reported. */
  static agentHeartbeat(options: AgentHeartbeatOptions = {}): Signal {
    return new Signal(agentHeartbeat(options), options);
  }

  /** The age of the newest complete recovery point of the machine that is worst off, as the catalogue knows it. */
  static replicationLag(options: ReplicationLagOptions): Signal {
    return new Signal(replicationLag(options), options);
  }

  /** The newest value of a CloudWatch metric, in the metric's Region or else the source Region. No math expressions: use an alarm for those. */
  static metric(metric: IMetric, options: MetricSignalOptions): Signal {
    return new Signal(metricSignal(metric, options), options);
  }

  /**
   * The state of a CloudWatch alarm of this account, metric or composite, in any Region.
   * @param alarmArn as a literal
   */
  static alarm(alarmArn: string, options: SignalOptions = {}): Signal {
    return new Signal(alarmSignal(alarmArn, options), options);
  }

  /**
   * A pattern in a log group of the source Region. A metric filter and an alarm are added to the source footprint; the alarm's
   * changes are forwarded and recorded as they happen, so that what was logged last counts though the Region is gone since.
   */
  static logPattern(options: LogPatternOptions): Signal {
    return new Signal(logPattern(options), options);
  }

  /**
   * A function in the recovery Region. It gets `{ project, signal }` and answers `{ status: 'healthy' | 'unhealthy' | 'unknown',
   * detail? }` or `{ healthy: boolean, detail? }`. One that fails is unknown.
   */
  static lambda(handler: IFunction, options: LambdaSignalOptions = {}): Signal {
    return new Signal(lambdaSignal(handler, options), options);
  }

  /** @internal */
  readonly _name: string;

  private constructor(private readonly spec: SignalSpec, { name }: SignalOptions) {
    this._name = name ?? partOf(spec.defaultName);
  }

  /** Makes what the signal needs. @internal */
  _bind(place: SignalPlace): BoundSignal {
    return this.spec.bind(this._name, place);
  }

  /** @internal */
  _problems(place: Pick<SignalPlace, 'context'>): string[] {
    const problem = partNameProblem('a signal', this._name);
    return [...(problem ? [problem] : []), ...this.spec.problems?.(place) ?? []];
  }

  /** An endpoint that must be of the project. @internal */
  get _endpoint(): ProtectedEndpoint | undefined {
    return this.spec.endpoint;
  }
}

/** A usable name of whatever text. */
function partOf(text: string): string {
  if (Token.isUnresolved(text)) return 'signal';
  return text.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 64).replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
}
