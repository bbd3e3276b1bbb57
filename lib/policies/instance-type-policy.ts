import type { InstanceType } from 'aws-cdk-lib/aws-ec2';
import type { InstanceTypeConfig } from '../../lambda/core/config';

/** Which instance types recovered machines get. */
export abstract class InstanceTypePolicy {
  /** The type that the source instance had at the last discovery. The recovery Region must offer it. */
  static sameAsSource(): InstanceTypePolicy {
    return new MappedTypes({}, []);
  }

  /**
   * Other types for some source types; what is not named stays as it is.
   * @param types recovery type by source type, e.g. `{ 'm5.large': InstanceType.of(InstanceClass.M6I, InstanceSize.LARGE) }`
   */
  static mapped(types: Record<string, InstanceType>): InstanceTypePolicy {
    return new MappedTypes(Object.fromEntries(Object.entries(types).map(([source, type]) => [source, type.toString()])), []);
  }

  /**
   * The same policy with further types, tried in this order when EC2 answers that it has no capacity of the first choice.
   * They should have the architecture of the source.
   */
  abstract withFallbacks(...types: InstanceType[]): InstanceTypePolicy;

  /** @internal */
  abstract _toConfig(): InstanceTypeConfig;
}

class MappedTypes extends InstanceTypePolicy {
  constructor(private readonly map: Readonly<Record<string, string>>, private readonly fallbacks: readonly string[]) {
    super();
  }

  override withFallbacks(...types: InstanceType[]): InstanceTypePolicy {
    return new MappedTypes(this.map, [...this.fallbacks, ...types.map((type) => type.toString())]);
  }

  override _toConfig(): InstanceTypeConfig {
    return { map: this.map, fallbacks: this.fallbacks };
  }
}
