import type { IConstruct } from 'constructs';
import type { Endpoint } from './endpoint';

/** An endpoint of a project: what `DisasterRecovery.protect()` gives, to name it in waves and hooks. */
export class ProtectedEndpoint {
  private readonly requirements = new Set<ProtectedEndpoint>();

  /** @internal */
  constructor(
    /** The project. @internal */
    readonly _owner: IConstruct,
    /** What is protected. */
    readonly endpoint: Endpoint,
  ) {}

  /** Name in the project. */
  get name(): string {
    return this.endpoint.name;
  }

  /**
   * Recover this endpoint in a later wave than the others. Waves that are given explicitly must agree, which synthesis
   * checks; without explicit waves they follow from these dependencies.
   */
  dependsOn(...others: ProtectedEndpoint[]): void {
    for (const other of others) this.requirements.add(other);
  }

  /** @internal */
  get _requirements(): readonly ProtectedEndpoint[] {
    return [...this.requirements];
  }
}
