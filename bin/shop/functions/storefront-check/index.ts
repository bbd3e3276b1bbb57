/** What a recovery run tells a check. */
interface CheckEvent {
  readonly members: readonly { readonly memberId: string; readonly privateIp?: string }[];
}

/** An example of a check: here the shop would ask each web server for its home page. */
export function handler(event: CheckEvent): Promise<{ passed: boolean; detail: string }> {
  const without = event.members.filter(({ privateIp }) => privateIp === undefined).map(({ memberId }) => memberId);
  const passed = event.members.length > 0 && without.length === 0;
  return Promise.resolve({ passed, detail: passed ? `${event.members.length} web servers have an address` : `no address yet: ${without.join(', ') || 'no web server'}` });
}
