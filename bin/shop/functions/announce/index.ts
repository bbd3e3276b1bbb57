/** What a recovery run tells a hook. */
interface HookEvent {
  readonly runId: string;
  readonly mode: string;
  readonly idempotencyKey: string;
  readonly members: readonly { readonly endpoint: string; readonly instanceId: string; readonly privateIp?: string }[];
}

/** An example of a hook: here the shop would repoint its configuration at the recovered database. */
export function handler(event: HookEvent): Promise<{ announced: string[] }> {
  const announced = event.members.map(({ endpoint, instanceId, privateIp }) => `${endpoint}=${privateIp ?? instanceId}`);
  console.log(JSON.stringify({ run: event.runId, mode: event.mode, key: event.idempotencyKey, announced }));
  return Promise.resolve({ announced });
}
