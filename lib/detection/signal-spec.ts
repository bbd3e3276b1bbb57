import type { EventBus } from 'aws-cdk-lib/aws-events';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { Construct, IConstruct } from 'constructs';
import type { SignalConfig } from '../../lambda/core/detection-config';
import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';
import type { ProjectContext } from '../functions/context';
import type { Permission } from '../functions/permissions/permission';

/** Inside which network a probe is made. */
export interface ProbeNetwork {
  readonly vpc: IVpc;
  readonly subnets?: SubnetSelection;
  readonly securityGroups?: readonly ISecurityGroup[];
}

/** Where a signal makes what it needs. */
export interface SignalPlace {
  /** In the recovery stack, of this signal alone. */
  readonly scope: Construct;
  readonly context: ProjectContext;
  /** Where the source footprint is. */
  readonly source: IConstruct;
  /** Of the project, in the recovery Region. */
  readonly bus: EventBus;
  /** ARN of a function that probes from inside the network. */
  probeFunction(network: ProbeNetwork): string;
  /** Records what alarms of the source footprint become. */
  recordAlarms(): void;
}

/** What the detector is told about a signal, and what it needs to read it. */
export interface BoundSignal {
  readonly config: SignalConfig;
  readonly permissions: readonly Permission[];
}

/** What kind of signal it is. */
export interface SignalSpec {
  readonly defaultName: string;
  readonly endpoint?: ProtectedEndpoint;
  problems?(place: Pick<SignalPlace, 'context'>): string[];
  bind(name: string, place: SignalPlace): BoundSignal;
}
