import { Duration } from 'aws-cdk-lib';
import { secondsOf, timeoutMs } from './limits';
import type { AgentHeartbeatOptions, ReplicationLagOptions } from './signal-options';
import type { SignalSpec } from './signal-spec';

const SHORTEST_AGE = Duration.minutes(1);
const DEFAULT_AGE = Duration.minutes(5);

/** The detector may read the catalogue in any case: no further permission. */
export function agentHeartbeat({ maxAge = DEFAULT_AGE, endpoint, timeout }: AgentHeartbeatOptions): SignalSpec {
  const maxAgeSeconds = secondsOf('maxAge of a heartbeat', maxAge, SHORTEST_AGE);
  const limit = timeoutMs(timeout);
  return {
    defaultName: endpoint === undefined ? 'agent-heartbeat' : `agent-heartbeat-${endpoint.name}`,
    endpoint,
    bind: (name) => ({ config: { kind: 'heartbeat', name, timeoutMs: limit, maxAgeSeconds, ...(endpoint === undefined ? {} : { endpoint: endpoint.name }) }, permissions: [] }),
  };
}

export function replicationLag({ atMost, timeout }: ReplicationLagOptions): SignalSpec {
  const atMostSeconds = secondsOf('atMost of the replication lag', atMost, SHORTEST_AGE);
  const limit = timeoutMs(timeout);
  return { defaultName: 'replication-lag', bind: (name) => ({ config: { kind: 'replication-lag', name, timeoutMs: limit, atMostSeconds }, permissions: [] }) };
}
