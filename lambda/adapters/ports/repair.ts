import type { SwapInConfig } from '../../core/config';

/** Zones of the source Region. */
export interface Zones {
  /** State by the zone's name: `available`, `impaired`, `unavailable`, `information`, `constrained`. */
  states(): Promise<ReadonlyMap<string, string>>;
}

export interface SwapContext<C extends SwapInConfig = SwapInConfig> {
  readonly config: C;
  /** The instance that has failed; it is stopped, or gone. */
  readonly old: { readonly instanceId: string; readonly privateIp?: string };
  /** The one in its place. */
  readonly fresh: { readonly instanceId: string; readonly privateIp?: string };
  /** Throws when the right to change anything is gone. */
  readonly confirm: () => Promise<void>;
}

export interface SwapVerdict {
  /** Seen to be as wanted. */
  readonly done: boolean;
  readonly detail: string;
}

/** One way in which the new machine takes over. Each call looks, makes the next move, and can be stopped anywhere. */
export interface SwapInKind<C extends SwapInConfig = SwapInConfig> {
  /** @throws RefusedCall of kind `invalid` where it must not be changed, e.g. since it is in somebody else's use */
  advance(context: SwapContext<C>): Promise<SwapVerdict>;
}

export type SwapInKinds = { readonly [K in SwapInConfig['kind']]: SwapInKind<Extract<SwapInConfig, { kind: K }>> };
