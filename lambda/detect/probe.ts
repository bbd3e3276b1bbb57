import type { ProbeConfig } from '../core/detection-config';
import { probeHttp } from './http';
import type { Reading } from './reading';
import { probeTcp } from './tcp';

/** A probe from where this code runs. */
export function probe(config: ProbeConfig): Promise<Reading> {
  return config.kind === 'http' ? probeHttp(config) : probeTcp(config);
}
