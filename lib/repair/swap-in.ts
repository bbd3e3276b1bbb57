import { Duration, Token } from 'aws-cdk-lib';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import type { SwapInConfig } from '../../lambda/core/config';
import { knownSeconds, wholeNumber } from '../policies/duration';

/** Options of every swap-in. */
export interface SwapInOptions {
  /** How long it may take until it is seen. @default Duration.minutes(10) */
  readonly timeout?: Duration;
}

/** Options of `SwapIn.targetGroup()`. */
export interface TargetGroupSwapOptions extends SwapInOptions {
  /** @default - that of the replaced machine's registration, else the target group's own */
  readonly port?: number;
}

/** Options of `SwapIn.networkInterface()`. */
export interface NetworkInterfaceSwapOptions extends SwapInOptions {
  /** Where the interface is attached; from 1, since the first one cannot move. @default 1 */
  readonly deviceIndex?: number;
}

/** Options of `SwapIn.record()`. */
export interface RecordSwapOptions extends SwapInOptions {
  readonly hostedZone: IHostedZone;
  /** The whole name of a simple record of type A, as a literal. */
  readonly recordName: string;
  /** Where there is no record yet. @default Duration.minutes(1) */
  readonly ttl?: Duration;
}

/** What a new machine takes over from the one that it replaces, once its checks have passed. Each is verified. */
export class SwapIn {
  /** Registers it in the target group, waits until it is healthy, and takes the old one out. @param targetGroupArn in the source Region */
  static targetGroup(targetGroupArn: string, options: TargetGroupSwapOptions = {}): SwapIn {
    if (!Token.isUnresolved(targetGroupArn) && !/^arn:[^:]+:elasticloadbalancing:[^:]+:\d{12}:targetgroup\/.+/.test(targetGroupArn)) throw new Error(`SwapIn.targetGroup() takes the ARN of a target group, got '${targetGroupArn}'.`);
    return new SwapIn({ kind: 'target-group', targetGroupArn, ...(options.port === undefined ? {} : { port: wholeNumber('port of SwapIn.targetGroup()', options.port, 1) }), timeoutSeconds: seconds(options) });
  }

  /** Associates the Elastic IP. @param allocationId e.g. `eipalloc-0123456789abcdef0` */
  static elasticIp(allocationId: string, options: SwapInOptions = {}): SwapIn {
    if (!/^eipalloc-[0-9a-f]+$/.test(allocationId)) throw new Error(`SwapIn.elasticIp() takes the literal id of an allocation such as eipalloc-0123456789abcdef0, got '${allocationId}'.`);
    return new SwapIn({ kind: 'elastic-ip', allocationId, timeoutSeconds: seconds(options) });
  }

  /** Moves a second network interface, with its addresses. Both machines must be in the interface's zone. @param networkInterfaceId e.g. `eni-0123456789abcdef0` */
  static networkInterface(networkInterfaceId: string, options: NetworkInterfaceSwapOptions = {}): SwapIn {
    if (!/^eni-[0-9a-f]+$/.test(networkInterfaceId)) throw new Error(`SwapIn.networkInterface() takes the literal id of an interface such as eni-0123456789abcdef0, got '${networkInterfaceId}'.`);
    return new SwapIn({ kind: 'network-interface', networkInterfaceId, deviceIndex: wholeNumber('deviceIndex of SwapIn.networkInterface()', options.deviceIndex ?? 1, 1), timeoutSeconds: seconds(options) });
  }

  /** Puts its private address in the place of the old one's. **Depends on us-east-1**, where Route 53's control plane is. */
  static record(options: RecordSwapOptions): SwapIn {
    const recordName = options.recordName.toLowerCase().replace(/\.$/, '');
    if (Token.isUnresolved(recordName) || !/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(recordName)) throw new Error(`SwapIn.record() takes the literal name of a record, got '${options.recordName}'.`);
    const ttlSeconds = knownSeconds('ttl of SwapIn.record()', options.ttl ?? Duration.minutes(1));
    return new SwapIn({ kind: 'record', hostedZoneId: options.hostedZone.hostedZoneId, recordName, ttlSeconds, timeoutSeconds: seconds(options) });
  }

  private constructor(/** @internal */ readonly _config: SwapInConfig) {}
}

function seconds({ timeout = Duration.minutes(10) }: SwapInOptions): number {
  return knownSeconds('timeout of a swap-in', timeout);
}
