import type { ProbeConfig } from '../core/detection-config';
import { probe } from '../detect/probe';
import { handlerOf } from '../runtime/handler';

/** Probes from inside a VPC. It calls no AWS service, so the VPC needs no endpoint for it. */
export const handler = handlerOf('probe', () => ({}), ({ signal }: { readonly signal: ProbeConfig }) => probe(signal));
