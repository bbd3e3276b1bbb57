import type { WhenUnreachable } from '../../lambda/core/fencing';

/** What a failover does when the source Region does not answer, so that nobody knows whether the old side still writes. */
export class UnreachablePolicy {
  /**
   * The failover goes on, and the evidence names this policy as what accepted it. For automatic failover. The old side may
   * write until the source Region answers again and the fence guard has fenced it.
   */
  static accept(): UnreachablePolicy {
    return new UnreachablePolicy('accept');
  }

  /** The failover goes on only if its request has `acceptUnreachable: '<who accepts it>'`, which the evidence names. */
  static onRequest(): UnreachablePolicy {
    return new UnreachablePolicy('on-request');
  }

  /** The failover ends, whoever asks: for data that must never be written on two sides. */
  static refuse(): UnreachablePolicy {
    return new UnreachablePolicy('refuse');
  }

  private constructor(
    /** @internal */
    readonly _config: WhenUnreachable,
  ) {}
}
