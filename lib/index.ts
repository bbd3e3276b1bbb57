export type { ArcClusterEndpoint, ArcRoutingControlOptions } from './cutover/arc-routing-control';
export type { TrafficCutoverOptions } from './cutover/cutover-options';
export type { AcceleratorEndpointWeight, AcceleratorGroupChange, GlobalAcceleratorOptions } from './cutover/global-accelerator';
export type { HealthCheckMetricOptions } from './cutover/health-check-metric';
export type { LambdaCutoverOptions } from './cutover/lambda-cutover';
export { RecoveredAddress } from './cutover/recovered-address';
export type { AliasDestination, Route53RecordOptions } from './cutover/route53-record';
export { HealthCheckCutover, TrafficCutover } from './cutover/traffic-cutover';
export { DecisionMode, type ApprovalOptions } from './detection/decision-mode';
export type { FailureDetection } from './detection/failure-detection';
export { FailureDetector, UnknownSignal, type ActionLimit, type FailureDetectorOptions } from './detection/failure-detector';
export { MaintenanceWindow } from './detection/maintenance-window';
export { Signal } from './detection/signal';
export {
  MissingValue, SignalComparison, type AgentHeartbeatOptions, type HttpProbeOptions, type InstanceStatusOptions, type LambdaSignalOptions, type LogPatternOptions,
  type MetricSignalOptions, type ProbeOptions, type ReplicationLagOptions, type SignalOptions,
} from './detection/signal-options';
export { DisasterRecovery } from './disaster-recovery';
export type { DisasterRecoveryProps, ExpectedFleet, SourceProps } from './disaster-recovery-props';
export { Endpoint, type InstanceEndpointOptions, type InstancesEndpointOptions } from './endpoint/endpoint';
export type { LaunchSettings } from './endpoint/launch-settings';
export type { ProtectedEndpoint } from './endpoint/protected-endpoint';
export type { RecoveryAlarms } from './monitoring/alarms';
export { RecoveryMetric } from './monitoring/metrics';
export { Fencing, type FencingOptions, type IsolateFencingOptions, type LambdaFencingOptions, type RevokeFencingOptions, type StopFencingOptions } from './fencing/fencing';
export { UnreachablePolicy } from './fencing/unreachable-policy';
export { DrillPolicy, type DrillLimits, type DrillNetwork, type DrillVpcOptions, type IsolatedDrillOptions } from './network/drill-policy';
export { RecoveryTarget, type RecoveryTargetOptions } from './network/recovery-target';
export { StagingArea, type ExistingStagingVpcOptions, type NewStagingVpcOptions, type StagingNetwork } from './network/staging-area';
export { RecoveryCheck, type LambdaCheckOptions, type RecoveryCheckOptions, type SsmCheckOptions } from './plan/recovery-check';
export { HookFailure, RecoveryHook, type LambdaHookOptions, type RecoveryHookOptions, type SsmHookOptions } from './plan/recovery-hook';
export type { RecoveryWave } from './plan/recovery-wave';
export { CapacityPolicy } from './policies/capacity-policy';
export { InstanceTypePolicy } from './policies/instance-type-policy';
export { ProtectionSchedule } from './policies/protection-schedule';
export type { RecoveryObjectives } from './policies/recovery-objectives';
export { RetentionPolicy, type TieredRetention } from './policies/retention-policy';
export type { ServiceQuotas } from './quotas';
export { VolumeKey } from './volume-key';
