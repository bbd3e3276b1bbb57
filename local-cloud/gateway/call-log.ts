/** One API call that went through the gateway. */
export interface CallRecord {
  /** Epoch milliseconds at which it arrived. */
  readonly at: number;
  readonly region: string;
  readonly service: string;
  readonly operation: string;
  /** `function:<name>`, `state-machine:<name>`, `rule:<name>`, `schedule:<name>`, or `operator`. */
  readonly principal: string;
  /** HTTP status; 0 when the caller got no answer. */
  readonly status: number;
  readonly errorCode?: string;
  /** What the judge said; `unjudged` for operators, and for calls that a fault struck before. */
  readonly decision: 'allowed' | 'denied' | 'unjudged';
  /** Why it was denied. */
  readonly reason?: string;
  /** The fault that struck it. */
  readonly fault?: string;
  readonly milliseconds: number;
}

/** Which records are meant: every given member must match; a function decides by itself. */
export type CallFilter = Partial<Pick<CallRecord, 'region' | 'service' | 'operation' | 'principal' | 'status' | 'errorCode' | 'decision' | 'fault'>>
  | ((record: CallRecord) => boolean);

function matches(record: CallRecord, filter: CallFilter): boolean {
  if (typeof filter === 'function') return filter(record);
  return Object.entries(filter).every(([member, value]) => record[member as keyof CallRecord] === value);
}

/** What was called, by whom, with which outcome: costs are counted and permissions checked here. */
export class CallLog {
  private records: CallRecord[] = [];

  public add(record: CallRecord): void {
    this.records.push(record);
  }

  public all(): readonly CallRecord[] {
    return this.records;
  }

  public filter(filter: CallFilter): CallRecord[] {
    return this.records.filter((record) => matches(record, filter));
  }

  public count(filter: CallFilter = {}): number {
    return this.filter(filter).length;
  }

  /** Calls by `service:Operation`, most frequent first. */
  public byOperation(filter: CallFilter = {}): Record<string, number> {
    const counts = new Map<string, number>();
    for (const { service, operation } of this.filter(filter)) {
      const key = `${service}:${operation}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
  }

  /** Forgets what was recorded, e.g. what a deployment has called. */
  public clear(): void {
    this.records = [];
  }
}
