import type { SignalStatus } from '../core/detector';
import type { ReportStore } from '../adapters/ports/detection';
import type { Tools } from '../runtime/tools';

/** EventBridge's "CloudWatch Alarm State Change", as far as it is read (CloudWatch user guide, "Alarm events and EventBridge"). */
export interface AlarmEvent {
  readonly time: string;
  readonly region?: string;
  readonly detail: {
    readonly alarmName: string;
    readonly state: { readonly value: string; readonly reason?: string; readonly timestamp?: string };
  };
}

const STATUS: Readonly<Record<string, SignalStatus>> = { ALARM: 'unhealthy', OK: 'healthy' };

/** Records what an alarm of the source Region became, as it happens: the Region may not be there when it is asked later. */
export async function recordReport({ time, region = '', detail: { alarmName, state } }: AlarmEvent, { reports }: { readonly reports: Pick<ReportStore, 'saveReport'> }, tools: Tools): Promise<{ readonly status: SignalStatus }> {
  const changed = Date.parse(state.timestamp ?? time);
  const at = Number.isNaN(changed) ? tools.now() : new Date(changed).toISOString();
  const status = STATUS[state.value] ?? 'unknown';
  await reports.saveReport({ signal: alarmName, status, at, detail: `${alarmName} in ${region} became ${state.value}: ${state.reason ?? ''}`.slice(0, 300) });
  return { status };
}
