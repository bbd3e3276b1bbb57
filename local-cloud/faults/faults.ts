import { Fault, type FaultHandle, type FaultSpec, type FaultTarget } from './fault';

/** How a refused Region looks: connections are cut, or every call is answered with 503. */
export type RefusalStyle = 'connection' | 'unavailable';

/** What goes wrong in the local cloud on purpose. */
export class Faults {
  private readonly refused = new Map<string, RefusalStyle>();
  private injected: Fault[] = [];

  /** @param onRefusals gets the refused Regions whenever they change: the emulator stops copies out of them, too */
  public constructor(private readonly onRefusals: (regions: readonly string[]) => void = () => undefined) {}

  /** From now on no call that is signed for this Region is done. */
  public refuseRegion(region: string, style: RefusalStyle = 'connection'): void {
    this.refused.set(region, style);
    this.onRefusals([...this.refused.keys()]);
  }

  public restoreRegion(region: string): void {
    this.refused.delete(region);
    this.onRefusals([...this.refused.keys()]);
  }

  public refusal(region: string): RefusalStyle | undefined {
    return this.refused.get(region);
  }

  public inject(spec: FaultSpec): FaultHandle {
    const fault = new Fault(spec, (removed) => {
      this.injected = this.injected.filter((other) => other !== removed);
    });
    this.injected.push(fault);
    return fault;
  }

  /** Ends every injected fault and restores every Region. */
  public clear(): void {
    this.injected = [];
    this.refused.clear();
    this.onRefusals([]);
  }

  /** The fault that strikes this call, if one does. */
  public next(target: FaultTarget): FaultSpec | undefined {
    return this.injected.find((fault) => fault.strikes(target))?.spec;
  }
}
