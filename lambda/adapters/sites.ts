import { siteOf } from '../core/direction';
import type { Side } from '../core/lease';
import type { RunMode } from '../core/model';
import type { Environment } from '../runtime/env';

/** Ports of the Region in which a mode acts on machines; made when they are first used. */
export type Sites<P> = (mode: RunMode) => P;

export function eachSite<P>({ sourceRegion, recoveryRegion }: Environment, make: (region: string) => P): Sites<P> {
  const made = new Map<Side, P>();
  return (mode) => {
    const side = siteOf(mode);
    const ports = made.get(side) ?? make(side === 'source' ? sourceRegion : recoveryRegion);
    made.set(side, ports);
    return ports;
  };
}

/** A step of a run over the ports of its mode's site. */
export function atSite<P, I extends { readonly run: { readonly mode: RunMode } }, T, O>(
  step: (input: I, ports: P, tools: T) => Promise<O>,
): (input: I, sites: Sites<P>, tools: T) => Promise<O> {
  return (input, sites, tools) => step(input, sites(input.run.mode), tools);
}
