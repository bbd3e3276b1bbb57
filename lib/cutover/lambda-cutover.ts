import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { LambdaCutoverConfig } from '../../lambda/core/cutover';
import { commonConfig, type BoundCutover, type TrafficCutoverOptions } from './cutover-options';

/** Options of a cutover by a function. */
export interface LambdaCutoverOptions extends TrafficCutoverOptions {
  /**
   * Fields merged into the event, which has `action` (`read`, `apply`, `verify` or `roll-back`), `project`, `runId`, `mode`,
   * `cutover`, `idempotencyKey`, `before` and `members` (`memberId`, `endpoint`, `instanceId`, `privateIp`).
   * @default - none
   */
  readonly payload?: Record<string, unknown>;
}

export function bindFunction(handler: IFunction, options: LambdaCutoverOptions): BoundCutover {
  const { functionArn } = handler;
  const config: LambdaCutoverConfig = {
    kind: 'lambda', ...commonConfig(options, handler.node.id), functionArn, ...(options.payload === undefined ? {} : { payload: options.payload }),
  };
  return { config, permissions: [{ actions: ['lambda:InvokeFunction'], resources: [functionArn] }], problems: [], endpoints: options.requires ?? [] };
}
