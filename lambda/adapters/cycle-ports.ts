import type { Direction } from '../core/direction';
import type { CycleConfig } from '../core/config';
import type { CyclePorts } from '../cycle/cycle';
import type { Environment } from '../runtime/env';
import { dynamoCatalogue, type CatalogueParts } from './catalogue';
import { ec2Client } from './ec2-common';
import { Ec2RecoverySnapshots, Ec2SourceSnapshots } from './ec2-snapshots';

/** Where a cycle of a direction finds its machines, and where it brings their points. */
export interface Way {
  readonly from: string;
  readonly to: string;
  readonly catalogue: CatalogueParts;
}

/** On the way back the two Regions are exchanged; the catalogue stays where it is. */
export function wayOf(environment: Environment, direction: Direction): Way {
  const { sourceRegion, recoveryRegion } = environment;
  const catalogue = dynamoCatalogue(environment, direction);
  return direction === 'forward' ? { from: sourceRegion, to: recoveryRegion, catalogue } : { from: recoveryRegion, to: sourceRegion, catalogue };
}

/** What the steps of the cycle that handle snapshots share. */
export function cyclePorts(environment: Environment, direction: Direction = 'forward'): CyclePorts {
  const { from, to, catalogue } = wayOf(environment, direction);
  return { ...catalogue, source: new Ec2SourceSnapshots(ec2Client(from)), recovery: new Ec2RecoverySnapshots(ec2Client(to)) };
}

/** A step over the ports of the direction that its input is of; those of a direction are made when they are first used. */
export function byDirection<P, I extends { readonly config: Pick<CycleConfig, 'direction'> }, T, O>(
  step: (input: I, ports: P, tools: T) => Promise<O>,
): (input: I, ports: (direction: Direction) => P, tools: T) => Promise<O> {
  return (input, ports, tools) => step(input, ports(input.config.direction ?? 'forward'), tools);
}

export function eachDirection<P>(make: (direction: Direction) => P): (direction: Direction) => P {
  const made = new Map<Direction, P>();
  return (direction) => {
    const ports = made.get(direction) ?? make(direction);
    made.set(direction, ports);
    return ports;
  };
}
