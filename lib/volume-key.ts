import { Token } from 'aws-cdk-lib';

/** How a source key is named in IAM statements. @internal */
export interface VolumeKeyBinding {
  readonly arn?: string;
  readonly alias?: string;
}

/** A customer-managed key that encrypts source volumes. Copies are decrypted with it and encrypted under the target's key. */
export abstract class VolumeKey {
  /**
   * By ARN; of an alias it would not work, since IAM judges the key.
   * @throws Error when it is not the ARN of a key
   */
  static fromArn(keyArn: string): VolumeKey {
    if (!Token.isUnresolved(keyArn) && !/^arn:[^:]+:kms:[^:]+:\d{12}:key\/.+$/.test(keyArn)) {
      throw new Error(`VolumeKey.fromArn() takes the ARN of a key, got '${keyArn}'. For an alias use VolumeKey.fromAlias().`);
    }
    return new BoundVolumeKey({ arn: keyArn });
  }

  /**
   * By alias, for a key whose id this app does not know, e.g. since another Region's stack makes it.
   * @param alias e.g. `alias/production`
   * @throws Error when it does not start with `alias/`
   */
  static fromAlias(alias: string): VolumeKey {
    if (!Token.isUnresolved(alias) && !/^alias\/[A-Za-z0-9/_-]+$/.test(alias)) throw new Error(`VolumeKey.fromAlias() takes an alias such as alias/production, got '${alias}'.`);
    return new BoundVolumeKey({ alias });
  }

  /** @internal */
  abstract _bind(): VolumeKeyBinding;
}

class BoundVolumeKey extends VolumeKey {
  constructor(private readonly binding: VolumeKeyBinding) {
    super();
  }

  override _bind(): VolumeKeyBinding {
    return this.binding;
  }
}
