import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct, IConstruct } from 'constructs';
import type { ProjectContext } from '../functions/context';
import { bindArc, type ArcRoutingControlOptions } from './arc-routing-control';
import type { BoundCutover } from './cutover-options';
import { bindAccelerator, type GlobalAcceleratorOptions } from './global-accelerator';
import { bindHealthCheck, type BoundHealthCheck, type HealthCheckMetricOptions } from './health-check-metric';
import { bindFunction, type LambdaCutoverOptions } from './lambda-cutover';
import { bindRecord, type Route53RecordOptions } from './route53-record';

/** `place` makes a construct of the cutover's name, for those that have resources. */
type Bind = (place: (name: string) => Construct, context: ProjectContext) => BoundCutover;

/**
 * One way of moving traffic to what a failover has recovered. Applied after the last wave, verified, and rolled back when it
 * or a later one fails. Drills never move traffic. What each depends on when a Region is lost: docs/cutover.md.
 */
export class TrafficCutover {
  /**
   * Routing controls of Amazon Application Recovery Controller, set through the five Regional data-plane endpoints of their
   * cluster: works while any one Region is lost. The local cloud has no ARC; a rehearsal there cannot include it.
   */
  static arcRoutingControl(options: ArcRoutingControlOptions): TrafficCutover {
    const bound = bindArc(options);
    return new TrafficCutover(() => bound);
  }

  /**
   * A metric in the recovery Region that two Route 53 health checks follow, one the inverse of the other: works while any
   * Region but the recovery Region is lost, since no control plane is called. Give the checks to your failover records.
   */
  static healthCheckMetric(options: HealthCheckMetricOptions = {}): HealthCheckCutover {
    return new HealthCheckCutover(options);
  }

  /**
   * Changes a simple record of Route 53. **Depends on us-east-1**, where Route 53's control plane is; synthesis warns of it.
   */
  static route53Record(options: Route53RecordOptions): TrafficCutover {
    return new TrafficCutover((_place, context) => bindRecord(context, options));
  }

  /**
   * Weights and traffic dials of Global Accelerator's endpoint groups. **Depends on us-west-2**, where its control plane is;
   * synthesis warns when that is the source Region. The local cloud has no Global Accelerator.
   */
  static globalAccelerator(options: GlobalAcceleratorOptions): TrafficCutover {
    return new TrafficCutover((_place, context) => bindAccelerator(context, options));
  }

  /**
   * A function in the recovery Region that reads, applies, verifies and rolls back, by the `action` of its event. `verify` and
   * `roll-back` answer `{ passed: true }` once it is so and are called again until then. It may be called again with the
   * same `idempotencyKey`.
   */
  static lambda(handler: IFunction, options: LambdaCutoverOptions = {}): TrafficCutover {
    const bound = bindFunction(handler, options);
    return new TrafficCutover(() => bound);
  }

  private owner?: IConstruct;

  /** @internal */
  protected constructor(private readonly bind: Bind) {}

  /** @internal */
  _bind(owner: IConstruct, place: (name: string) => Construct, context: ProjectContext): BoundCutover {
    if (this.owner !== undefined) throw new Error(`${owner.node.path}: this cutover is in use already (${this.owner.node.path}). Make one for each time it is applied.`);
    this.owner = owner;
    return this.bind(place, context);
  }
}

/** A cutover by a metric, with the health checks that follow it. They exist once the cutover was given to `cutOver()`. */
export class HealthCheckCutover extends TrafficCutover {
  private bound?: BoundHealthCheck;

  /** @internal */
  constructor(options: HealthCheckMetricOptions) {
    super((place, context) => {
      this.bound = bindHealthCheck(place, context, options);
      return this.bound;
    });
  }

  /** Healthy until a failover has cut over: for the record of the source side (the primary one of a failover pair). */
  get sourceHealthCheckId(): string {
    return this.checks().sourceHealthCheckId;
  }

  /** The inverse, for a record of the recovery side. A secondary record of a failover pair works without a check as well. */
  get recoveryHealthCheckId(): string {
    return this.checks().recoveryHealthCheckId;
  }

  private checks(): BoundHealthCheck {
    if (this.bound === undefined) throw new Error('The health checks exist once the cutover was given to DisasterRecovery.cutOver().');
    return this.bound;
  }
}
