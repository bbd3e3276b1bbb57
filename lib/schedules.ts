import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal, type IRole } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Schedule, ScheduleExpression, ScheduleTargetInput, type IScheduleTarget } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke, StepFunctionsStartExecution, type ScheduleTargetBaseProps } from 'aws-cdk-lib/aws-scheduler-targets';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { UpkeepConfig } from '../lambda/core/config';
import { physicalName } from './names';

export interface SchedulesProps {
  readonly project: string;
  readonly cycle: StateMachine;
  readonly interval: Duration;
  readonly drillTeardown: IFunction;
  readonly sweep: IFunction;
  readonly upkeep: UpkeepConfig;
  /** Only where there is something to fence. */
  readonly fenceGuard?: { readonly function: IFunction; readonly input: unknown };
}

/** A drill's machines outlive their time limit by this at most. */
const TEARDOWN_INTERVAL = Duration.minutes(5);
/** How long the old side may run after its Region has come back, at most. */
const GUARD_INTERVAL = Duration.minutes(1);
const SWEEP_INTERVAL = Duration.hours(1);
/** A start that failed is tried again, but not once the next one is near. */
const RETRY_ATTEMPTS = 3;

export interface ScheduleEntry {
  readonly part: string;
  readonly description: string;
  readonly interval: Duration;
  /** @default - once in each interval */
  readonly expression?: ScheduleExpression;
  readonly action: string;
  readonly resource: string;
  readonly input: unknown;
  readonly target: (props: ScheduleTargetBaseProps) => IScheduleTarget;
}

/** What runs by the clock. None of it depends on another's state, so that teardown and sweep work when the cycle does not. */
export class Schedules extends Construct {
  constructor(scope: Construct, id: string, private readonly props: SchedulesProps) {
    super(scope, id);
    const { cycle, interval, drillTeardown, sweep, upkeep, fenceGuard } = props;
    this.every('Cycle', {
      part: 'cycle', description: 'starts a protection cycle', interval, input: {},
      action: 'states:StartExecution', resource: cycle.stateMachineArn, target: (given) => new StepFunctionsStartExecution(cycle, given),
    });
    this.every('DrillTeardown', {
      part: 'drill-teardown', description: 'ends drills whose time is over', interval: TEARDOWN_INTERVAL, input: { config: upkeep },
      action: 'lambda:InvokeFunction', resource: drillTeardown.functionArn, target: (given) => new LambdaInvoke(drillTeardown, given),
    });
    this.every('Sweep', {
      part: 'sweep', description: 'removes orphans', interval: SWEEP_INTERVAL, input: { config: upkeep },
      action: 'lambda:InvokeFunction', resource: sweep.functionArn, target: (given) => new LambdaInvoke(sweep, given),
    });
    if (fenceGuard === undefined) return;
    this.every('FenceGuard', {
      part: 'fence-guard', description: 'fences the old side when the source Region answers again', interval: GUARD_INTERVAL, input: fenceGuard.input,
      action: 'lambda:InvokeFunction', resource: fenceGuard.function.functionArn, target: (given) => new LambdaInvoke(fenceGuard.function, given),
    });
  }

  /** Adds something that is done again and again. */
  every(id: string, entry: ScheduleEntry): void {
    const scheduleName = physicalName(this.props.project, entry.part);
    new Schedule(this, id, {
      scheduleName,
      description: `${this.props.project}: ${entry.description}`,
      schedule: entry.expression ?? ScheduleExpression.rate(entry.interval),
      target: entry.target({
        role: this.role(`${id}Role`, entry),
        input: ScheduleTargetInput.fromObject(entry.input),
        retryAttempts: RETRY_ATTEMPTS,
        maxEventAge: entry.interval,
      }),
    });
  }

  /** A role of its own with exactly one permission; the target would allow all versions of a function. */
  private role(id: string, { action, resource, description }: ScheduleEntry): IRole {
    const conditions = { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } };
    const role = new Role(this, id, {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', { conditions }),
      description: `${this.props.project}: ${description}`,
    });
    role.addToPolicy(new PolicyStatement({ actions: [action], resources: [resource] }));
    return role.withoutPolicyUpdates();
  }
}
