/** AWS on this machine, for rehearsals, the demo, benchmarks and tests. */
export { LocalCloud, type EmulatorSettings } from './local-cloud';
export type { LocalCloudOptions, LogSource } from './options';
export type { DeployRequest } from './cdk/cdk';
export { CallLog, type CallFilter, type CallRecord } from './gateway/call-log';
export { Faults, type RefusalStyle } from './faults/faults';
export type { FaultHandle, FaultKind, FaultSpec } from './faults/fault';
export { BLOCK_BYTES, Disks } from './disks';
export type { Schedule } from './schedules/schedules';
export type { ClientConfig } from './process/clients';
