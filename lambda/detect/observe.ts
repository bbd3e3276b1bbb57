import type { ProbeConfig, SignalConfig } from '../core/detection-config';
import type { Observation } from '../core/detector';
import { messageOf } from '../adapters/errors';
import type { MemberStore } from '../adapters/ports/catalogue';
import type { InstanceStatuses, Monitoring, ReportStore } from '../adapters/ports/detection';
import type { Functions } from '../adapters/ports/services';
import { alarm, custom, heartbeat, instanceStatus, logPattern, metric, readingOf, replicationLag } from './aws';
import { probe } from './probe';
import { unknown, type Reading } from './reading';

export interface ObservePorts {
  readonly members: Pick<MemberStore, 'members'>;
  readonly reports: Pick<ReportStore, 'heartbeats' | 'report'>;
  readonly instances: InstanceStatuses;
  readonly monitoring: Monitoring;
  readonly functions: Functions;
  /** @default over the network */
  readonly probe?: (config: ProbeConfig) => Promise<Reading>;
}

/** The state keeps details: DynamoDB takes 400 KiB an item. */
const DETAIL_MAX = 300;
/** A reading that does not keep its own limit is left alone after this much more. */
const GRACE_MS = 1_000;

/** Reads one signal. Whatever goes wrong is an `unknown` that says what: one signal must never keep the others from counting. */
export async function observe(signal: SignalConfig, ports: ObservePorts, project: string, now: string): Promise<Observation> {
  const { status, detail } = await limited(signal, read(signal, ports, project, now)).catch((error: unknown) => unknown(`could not be read: ${messageOf(error)}`));
  return { signal: signal.name, status, at: now, detail: detail.slice(0, DETAIL_MAX) };
}

async function read(signal: SignalConfig, ports: ObservePorts, project: string, now: string): Promise<Reading> {
  switch (signal.kind) {
    case 'http':
    case 'tcp': return signal.via === undefined ? (ports.probe ?? probe)(signal) : remotely(signal, signal.via, ports.functions);
    case 'instance-status': return instanceStatus(signal, ports);
    case 'heartbeat': return heartbeat(signal, ports.reports, now);
    case 'replication-lag': return replicationLag(signal, ports.members, now);
    case 'metric': return metric(signal, ports.monitoring, now);
    case 'alarm': return alarm(signal, ports.monitoring);
    case 'log-pattern': return logPattern(signal, ports, now);
    case 'lambda': return custom(signal, ports.functions, project);
  }
}

/** A probe from inside a VPC. That its function fails says nothing about what it probes. */
async function remotely(signal: ProbeConfig, functionArn: string, functions: Functions): Promise<Reading> {
  const { payload, error } = await functions.invoke(functionArn, { signal: { ...signal, via: undefined } }, signal.timeoutMs + GRACE_MS);
  if (error !== undefined) return unknown(`the probe's function failed: ${error}`);
  return readingOf(payload) ?? unknown('the probe\'s function gave no answer');
}

function limited({ timeoutMs }: SignalConfig, reading: Promise<Reading>): Promise<Reading> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<Reading>((resolve) => {
    timer = setTimeout(() => { resolve(unknown(`could not be read in ${timeoutMs} ms`)); }, timeoutMs + 2 * GRACE_MS);
  });
  return Promise.race([reading, limit]).finally(() => { clearTimeout(timer); });
}
