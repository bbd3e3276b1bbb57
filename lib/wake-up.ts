import { EventBus, Rule, type EventPattern } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { physicalName } from './names';

export interface WakeUpProps {
  readonly project: string;
  readonly wake: IFunction;
  /** Snapshots are also taken in the recovery Region, by return cycles. */
  readonly wayBack: boolean;
}

/**
 * A consistency set of several disks completes with an event of its own kind; that of a copy is of the plain kind
 * (EBS user guide, "EventBridge events for Amazon EBS").
 * @internal
 */
export const SNAPSHOT_EVENTS = { source: ['aws.ec2'], detailType: ['EBS Snapshot Notification', 'EBS Multi-Volume Snapshots Completion Status'] };

/** Completed snapshots of the source Region, forwarded to a bus of the project, and completed copies wake a waiting cycle. */
export class WakeUp extends Construct {
  readonly bus: EventBus;

  constructor(scope: Construct, id: string, props: WakeUpProps) {
    super(scope, id);
    this.bus = new EventBus(this, 'Bus', { eventBusName: physicalName(props.project), description: `${props.project}: snapshots completed in the source Region` });
    const rule = (name: string, description: string, eventPattern: EventPattern, eventBus?: EventBus): Rule =>
      new Rule(this, name, { description: `${props.project}: ${description}`, eventBus, eventPattern, targets: [new LambdaFunction(props.wake)] });
    rule('SnapshotsComplete', 'a snapshot completed in the source Region', SNAPSHOT_EVENTS, this.bus);
    rule('CopiesComplete', 'a copy completed in the recovery Region', props.wayBack ? SNAPSHOT_EVENTS : { ...SNAPSHOT_EVENTS, detail: { event: ['copySnapshot'] } });
  }
}
