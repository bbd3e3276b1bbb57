import { Stack, Stage, Token } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { EventBus as EventBusTarget } from 'aws-cdk-lib/aws-events-targets';
import { Construct, type IConstruct } from 'constructs';
import { physicalName } from './names';
import { SNAPSHOT_EVENTS } from './wake-up';

export interface SourceFootprintProps {
  readonly project: string;
  readonly recoveryRegion: string;
  /** Copies also arrive here, from return cycles. */
  readonly wayBack: boolean;
}

/**
 * What the source Region holds: a rule that forwards completed snapshots to the recovery Region. Losing it costs time only,
 * since the cycle polls too.
 */
export class SourceFootprint extends Construct {
  constructor(scope: Construct, id: string, props: SourceFootprintProps) {
    super(scope, id);
    const name = physicalName(props.project);
    const { account, partition } = Stack.of(this);
    // Computed, not referenced: a reference would tie the recovery stack to the Region that may be lost.
    const bus = EventBus.fromEventBusArn(this, 'Bus', `arn:${partition}:events:${props.recoveryRegion}:${account}:event-bus/${name}`);
    new Rule(this, 'SnapshotsComplete', {
      ruleName: name,
      description: `${props.project}: completed snapshots wake the protection cycle in ${props.recoveryRegion}`,
      eventPattern: { ...SNAPSHOT_EVENTS, detail: { event: ['createSnapshot', 'createSnapshots', ...(props.wayBack ? ['copySnapshot'] : [])] } },
      targets: [new EventBusTarget(bus)],
    });
  }
}

/** The stack of the source Region that the construct adds by itself, beside the recovery stack. */
export function footprintStack(recoveryStack: Stack, owner: IConstruct, sourceRegion: string): Stack {
  const stage = Stage.of(recoveryStack);
  if (!stage) throw new Error(`${owner.node.path} must be inside an App or a Stage.`);
  const path = owner.node.path.slice(recoveryStack.node.path.length + 1).replace(/[^A-Za-z0-9]+/g, '-');
  return new Stack(stage, `${recoveryStack.node.id}-${path}-Source`, {
    env: { region: sourceRegion, account: Token.isUnresolved(recoveryStack.account) ? undefined : recoveryStack.account },
    description: `Source footprint of the disaster recovery that ${recoveryStack.node.path} declares`,
    terminationProtection: recoveryStack.terminationProtection,
  });
}
