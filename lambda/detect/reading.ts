import type { SignalStatus } from '../core/detector';

/** What reading a signal gave. */
export interface Reading {
  readonly status: SignalStatus;
  readonly detail: string;
}

export const healthy = (detail: string): Reading => ({ status: 'healthy', detail });
export const unhealthy = (detail: string): Reading => ({ status: 'unhealthy', detail });
export const unknown = (detail: string): Reading => ({ status: 'unknown', detail });
