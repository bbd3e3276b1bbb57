import { DomainError } from './errors';

/** A value known when the app is synthesized, or what the machines of an endpoint get in the run. */
export type AddressConfig = { readonly value: string } | { readonly recovered: string };

interface CutoverBase {
  /** Unique in the project. */
  readonly name: string;
  /** Endpoints that the run must have recovered for traffic to be moved. @default every endpoint that has machines */
  readonly requires?: readonly string[];
  /** Longest time until the cutover is verified; the same again for rolling it back. */
  readonly timeoutSeconds: number;
}

export interface ArcCutoverConfig extends CutoverBase {
  readonly kind: 'arc';
  readonly clusterEndpoints: readonly { readonly region: string; readonly endpoint: string }[];
  /** ARNs of routing controls. */
  readonly on: readonly string[];
  readonly off: readonly string[];
  readonly safetyRulesToOverride?: readonly string[];
}

export interface MetricCutoverConfig extends CutoverBase {
  readonly kind: 'metric';
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** In ALARM while the metric is 1. */
  readonly alarmName: string;
}

export interface RecordCutoverConfig extends CutoverBase {
  readonly kind: 'record';
  readonly hostedZoneId: string;
  /** Lower case, without the dot at the end. */
  readonly recordName: string;
  readonly recordType: 'A' | 'AAAA' | 'CNAME';
  readonly ttlSeconds?: number;
  readonly values?: readonly AddressConfig[];
  readonly alias?: { readonly hostedZoneId: string; readonly dnsName: string };
}

export interface AcceleratorCutoverConfig extends CutoverBase {
  readonly kind: 'accelerator';
  readonly groups: readonly {
    readonly endpointGroupArn: string;
    /** Percent. */
    readonly trafficDial?: number;
    readonly endpoints: readonly { readonly endpoint: AddressConfig; readonly weight: number }[];
  }[];
}

export interface LambdaCutoverConfig extends CutoverBase {
  readonly kind: 'lambda';
  readonly functionArn: string;
  readonly payload?: Readonly<Record<string, unknown>>;
}

export type CutoverConfig = ArcCutoverConfig | MetricCutoverConfig | RecordCutoverConfig | AcceleratorCutoverConfig | LambdaCutoverConfig;

/**
 * `PLANNED`: begun, nothing is known and nothing was done. `READY`: how things were before is recorded; the change may have
 * been made. `APPLIED`: the change was answered. `VERIFIED`: it was seen. `ROLLING_BACK`, `ROLLED_BACK`: put back as it was
 * before. `STUCK`: could not be put back. `SKIPPED`: the run did not recover what it needs.
 */
export type CutoverStatus = 'PLANNED' | 'READY' | 'APPLIED' | 'VERIFIED' | 'ROLLING_BACK' | 'ROLLED_BACK' | 'STUCK' | 'SKIPPED';

/** One cutover of a run: what was there before, and how far it has got. */
export interface CutoverRecord {
  readonly runId: string;
  readonly name: string;
  readonly kind: CutoverConfig['kind'];
  readonly status: CutoverStatus;
  /** Grows when a resumed run begins the cutover again. */
  readonly attempt: number;
  /** The execution that works on it; another one has taken over when it differs. */
  readonly executionName: string;
  readonly startedAt: string;
  /** As the adapter of the kind read it; only it understands this. */
  readonly before?: unknown;
  /** What the service answered to the change, where the change can be followed by it. */
  readonly handle?: string;
  readonly appliedAt?: string;
  readonly verifiedAt?: string;
  /** Why all cutovers of the run are rolled back. On the one that failed. */
  readonly failure?: string;
  readonly rollBackAt?: string;
  readonly detail?: string;
}

/** Whether rolling it back has something to do. */
export function mustRollBack({ status }: CutoverRecord): boolean {
  return status === 'READY' || status === 'APPLIED' || status === 'VERIFIED' || status === 'ROLLING_BACK';
}

/**
 * The row as another execution of the same run goes on from it. What was rolled back begins anew; what may still be in place
 * keeps the state that was recorded before anything was changed, since reading it again would take our change for it.
 */
export function takenOver(record: CutoverRecord, executionName: string, now: string): CutoverRecord {
  const { failure: _failure, rollBackAt: _rollBackAt, detail: _detail, handle: _handle, ...kept } = record;
  const again = { ...kept, executionName, attempt: record.attempt + 1, startedAt: now };
  switch (record.status) {
    case 'VERIFIED':
      return { ...record, executionName, attempt: record.attempt + 1 };
    case 'PLANNED': case 'ROLLED_BACK': case 'SKIPPED': {
      const { before: _before, appliedAt: _applied, verifiedAt: _verified, ...rest } = again;
      return { ...rest, status: 'PLANNED' };
    }
    case 'READY': case 'APPLIED': case 'ROLLING_BACK': case 'STUCK': {
      const { appliedAt: _applied, verifiedAt: _verified, ...rest } = again;
      return { ...rest, status: 'READY' };
    }
  }
}

/** Endpoints that must have been recovered: those asked for, or all that have machines, and those whose addresses are used. */
export function requiredEndpoints(config: CutoverConfig, known: readonly string[]): string[] {
  return [...new Set([...config.requires ?? known, ...addresses(config).flatMap((address) => ('recovered' in address ? [address.recovered] : []))])];
}

function addresses(config: CutoverConfig): readonly AddressConfig[] {
  if (config.kind === 'record') return config.values ?? [];
  if (config.kind === 'accelerator') return config.groups.flatMap(({ endpoints }) => endpoints.map(({ endpoint }) => endpoint));
  return [];
}

/** A recovered machine lacks what traffic is to be sent to. */
export class CutoverAddressMissing extends DomainError {
  override readonly name = 'CutoverAddressMissing';
}

export interface RecoveredMachine {
  readonly memberId: string;
  readonly endpoint: string;
  readonly instanceId?: string;
  readonly privateIp?: string;
}

/** What an address stands for in this run: one value, or one for each machine of the endpoint, in a stable order. */
export function resolveAddress(address: AddressConfig, machines: readonly RecoveredMachine[], what: 'instanceId' | 'privateIp'): string[] {
  if ('value' in address) return [address.value];
  const found = machines.filter(({ endpoint }) => endpoint === address.recovered).sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  if (found.length === 0) throw new CutoverAddressMissing(`Endpoint '${address.recovered}' has no machine in this run.`);
  return found.map((machine) => {
    const value = machine[what];
    if (value === undefined) throw new CutoverAddressMissing(`${machine.memberId} has no ${what === 'privateIp' ? 'private address' : 'instance id'}.`);
    return value;
  });
}
