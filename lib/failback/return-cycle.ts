import { Fn } from 'aws-cdk-lib';
import type { CycleConfig } from '../../lambda/core/config';
import { RetentionPolicy } from '../policies/retention-policy';
import { cycleConfig, type ProjectParts } from '../project-config';
import type { Failback } from './failback';

/** The newest point is what comes back; the one before it is what the next copy is incremental to. */
const KEPT = RetentionPolicy.keepLast(2);

/** A cycle with the Regions exchanged. Its machines are known by what the failover has tagged them with, not by endpoints. */
export function returnCycleConfig(parts: ProjectParts, failback: Failback): CycleConfig {
  const forward = cycleConfig(parts);
  const { targetKeyArn: _target, ...rest } = forward;
  const key = returnKeyId(parts, failback);
  return {
    ...rest,
    direction: 'return',
    sourceRegion: forward.recoveryRegion,
    recoveryRegion: forward.sourceRegion,
    endpoints: [],
    retention: KEPT._toConfig(),
    sourceRetention: KEPT._toConfig(),
    // The first one copies whole disks.
    intervalSeconds: failback._syncSeconds,
    launch: {},
    launchDefaults: {},
    passableRoleArns: [],
    ...(key === undefined ? {} : { targetKeyArn: key }),
  };
}

/** As EC2 takes it: CopySnapshot in the source Region knows an alias by its ARN too. */
function returnKeyId({ context }: ProjectParts, failback: Failback): string | undefined {
  const { arn, alias } = failback._options.key?._bind() ?? {};
  if (arn !== undefined) return arn;
  return alias === undefined ? undefined : Fn.join('', ['arn:', context.partition, ':kms:', context.sourceRegion, ':', context.account, ':', alias]);
}
