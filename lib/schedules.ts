import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Schedule, ScheduleExpression, ScheduleTargetInput, type IScheduleTarget } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke, StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
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
}

/** A drill's machines outlive their time limit by this at most. */
const TEARDOWN_INTERVAL = Duration.minutes(5);
const SWEEP_INTERVAL = Duration.hours(1);
/** A start that failed is tried again, but not once the next one is near. */
const RETRY_ATTEMPTS = 3;

/** What runs by the clock. None of it depends on another's state, so that teardown and sweep work when the cycle does not. */
export class Schedules extends Construct {
  constructor(scope: Construct, id: string, props: SchedulesProps) {
    super(scope, id);
    const input = ScheduleTargetInput.fromObject({ config: props.upkeep });
    const retry = (interval: Duration) => ({ retryAttempts: RETRY_ATTEMPTS, maxEventAge: interval });
    const every = (name: string, part: string, interval: Duration, description: string, target: IScheduleTarget): Schedule =>
      new Schedule(this, name, {
        scheduleName: physicalName(props.project, part),
        description: `${props.project}: ${description}`,
        schedule: ScheduleExpression.rate(interval),
        target,
      });
    every('Cycle', 'cycle', props.interval, 'protection cycle',
      new StepFunctionsStartExecution(props.cycle, { ...retry(props.interval), input: ScheduleTargetInput.fromObject({}) }));
    every('DrillTeardown', 'drill-teardown', TEARDOWN_INTERVAL, 'ends drills whose time is over',
      new LambdaInvoke(props.drillTeardown, { ...retry(TEARDOWN_INTERVAL), input }));
    every('Sweep', 'sweep', SWEEP_INTERVAL, 'removes orphans',
      new LambdaInvoke(props.sweep, { ...retry(SWEEP_INTERVAL), input }));
  }
}
