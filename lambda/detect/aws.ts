import type {
  AlarmConfig, Comparison, HeartbeatConfig, InstanceStatusConfig, LambdaSignalConfig, LogPatternConfig, MetricConfig, ReplicationLagConfig,
} from '../core/detection-config';
import { messageOf } from '../adapters/errors';
import type { MemberStore } from '../adapters/ports/catalogue';
import type { InstanceStatuses, Monitoring, ReportStore } from '../adapters/ports/detection';
import type { Functions } from '../adapters/ports/services';
import { worstRpo } from '../core/rpo';
import { secondsBetween } from '../core/time';
import { healthy, unhealthy, unknown, type Reading } from './reading';

/** EC2's status checks of an endpoint's machines, as discovery knows them. */
export async function instanceStatus({ endpoint, minHealthy }: InstanceStatusConfig, { members, instances }: { readonly members: Pick<MemberStore, 'members'>; readonly instances: InstanceStatuses }): Promise<Reading> {
  const ids = (await members.members()).filter((member) => member.endpoint === endpoint && member.missingSince === undefined).map(({ instanceId }) => instanceId);
  if (ids.length === 0) return unknown(`discovery knows no machine of endpoint ${endpoint}`);
  const health = [...(await instances.healthOf(ids)).entries()];
  const count = (...kinds: string[]): number => health.filter(([, kind]) => kinds.includes(kind)).length;
  const bad = health.filter(([, kind]) => kind !== 'healthy').slice(0, 5).map(([id, kind]) => `${id} ${kind}`);
  const detail = `${count('healthy')} of ${health.length} machines pass EC2's checks, ${minHealthy} must${bad.length > 0 ? `: ${bad.join(', ')}` : ''}`;
  if (count('healthy') >= minHealthy) return healthy(detail);
  return count('healthy', 'initializing') >= minHealthy ? unknown(detail) : unhealthy(detail);
}

/** The age of the newest heartbeat. Without any it is not known whether there is an agent. */
export async function heartbeat({ endpoint, maxAgeSeconds }: HeartbeatConfig, reports: Pick<ReportStore, 'heartbeats'>, now: string): Promise<Reading> {
  const beats = (await reports.heartbeats()).filter((beat) => endpoint === undefined || beat.endpoint === endpoint);
  const [newest] = beats.sort((a, b) => b.at.localeCompare(a.at));
  if (newest === undefined) return unknown('no agent has reported');
  const age = Math.max(0, Math.round(secondsBetween(newest.at, now)));
  const detail = `agent ${newest.agent} reported ${age} s ago`;
  return age <= maxAgeSeconds ? healthy(detail) : unhealthy(`${detail}, more than ${maxAgeSeconds} s`);
}

/** The achieved RPO of the machine that is worst off. */
export async function replicationLag({ atMostSeconds }: ReplicationLagConfig, members: Pick<MemberStore, 'members'>, now: string): Promise<Reading> {
  const { seconds, memberId } = worstRpo(await members.members(), now);
  if (seconds === undefined) return unknown('no machine has a complete recovery point');
  const detail = `the newest recovery point of ${memberId} is ${Math.round(seconds)} s old`;
  return seconds <= atMostSeconds ? healthy(detail) : unhealthy(`${detail}, more than ${atMostSeconds} s`);
}

const COMPARE: Readonly<Record<Comparison, (value: number, threshold: number) => boolean>> = {
  '>': (value, threshold) => value > threshold, '>=': (value, threshold) => value >= threshold,
  '<': (value, threshold) => value < threshold, '<=': (value, threshold) => value <= threshold,
};

export async function metric(config: MetricConfig, monitoring: Monitoring, now: string): Promise<Reading> {
  const newest = await monitoring.newestValue(config.region, config, now);
  if (newest === undefined) return { status: config.missing, detail: `${config.metricName} has no value` };
  const isUnhealthy = COMPARE[config.unhealthyWhen](newest.value, config.threshold);
  const detail = `${config.metricName} is ${newest.value} at ${newest.at}; unhealthy when ${config.unhealthyWhen} ${config.threshold}`;
  return isUnhealthy ? unhealthy(detail) : healthy(detail);
}

export async function alarm({ region, alarmName }: AlarmConfig | LogPatternConfig, monitoring: Monitoring): Promise<Reading> {
  const found = await monitoring.alarm(region, alarmName);
  if (found === undefined) return unknown(`there is no alarm ${alarmName} in ${region}`);
  const detail = `${alarmName} is ${found.state}: ${found.reason}`;
  if (found.state === 'INSUFFICIENT_DATA') return unknown(detail);
  return found.state === 'ALARM' ? unhealthy(detail) : healthy(detail);
}

/** What the source Region says; where it cannot be asked, a failure that it had reported before still counts for a while. */
export async function logPattern(config: LogPatternConfig, { monitoring, reports }: { readonly monitoring: Monitoring; readonly reports: Pick<ReportStore, 'report'> }, now: string): Promise<Reading> {
  const asked = await alarm(config, monitoring).catch((error: unknown) => unknown(messageOf(error)));
  if (asked.status !== 'unknown') return asked;
  const report = await reports.report(config.alarmName);
  if (report?.status !== 'unhealthy' || secondsBetween(report.at, now) > config.rememberSeconds) return asked;
  return unhealthy(`${report.detail}, reported at ${report.at}; ${asked.detail}`);
}

/** A function of the user's. It answers `{ status: 'healthy' | 'unhealthy' | 'unknown', detail? }` or `{ healthy: boolean, detail? }`. */
export async function custom({ functionArn, name, payload, timeoutMs }: LambdaSignalConfig, functions: Functions, project: string): Promise<Reading> {
  const { payload: answer, error } = await functions.invoke(functionArn, { ...payload, project, signal: name }, timeoutMs);
  if (error !== undefined) return unknown(`the function failed: ${error}`);
  return readingOf(answer) ?? unknown(`the function answered ${JSON.stringify(answer)?.slice(0, 200)}, not { status } or { healthy }`);
}

export function readingOf(answer: unknown): Reading | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { status, healthy: isHealthy, detail = '' } = answer as { status?: unknown; healthy?: unknown; detail?: unknown };
  const text = typeof detail === 'string' ? detail : JSON.stringify(detail);
  if (status === 'healthy' || status === 'unhealthy' || status === 'unknown') return { status, detail: text };
  if (typeof isHealthy === 'boolean') return isHealthy ? healthy(text) : unhealthy(text);
  return undefined;
}
