import { Token } from 'aws-cdk-lib';
import type { AddressConfig } from '../../lambda/core/cutover';
import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';

/**
 * What the machines of an endpoint get in a recovery run: their private addresses in a record, their instance ids in an
 * endpoint group. An endpoint with several machines stands for all of them.
 */
export class RecoveredAddress {
  static of(endpoint: ProtectedEndpoint): RecoveredAddress {
    return new RecoveredAddress(endpoint);
  }

  private constructor(
    /** @internal */
    readonly _endpoint: ProtectedEndpoint,
  ) {}
}

export function addressConfig(address: string | RecoveredAddress): AddressConfig {
  return address instanceof RecoveredAddress ? { recovered: address._endpoint.name } : { value: address };
}

export function endpointsOf(addresses: readonly (string | RecoveredAddress)[]): ProtectedEndpoint[] {
  return addresses.flatMap((address) => (address instanceof RecoveredAddress ? [address._endpoint] : []));
}

/** Texts of a list that are known here. */
export function known(values: readonly string[]): string[] {
  return values.filter((value) => !Token.isUnresolved(value));
}
