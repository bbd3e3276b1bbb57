/** What a cutover tells the function that moves traffic. */
interface CutoverEvent {
  readonly action: string;
  readonly runId: string;
  readonly idempotencyKey: string;
}

/** Stands for whatever moves traffic; says each time that it is so. */
export function handler({ action, runId, idempotencyKey }: CutoverEvent): Promise<{ passed: boolean }> {
  console.log(JSON.stringify({ action, run: runId, key: idempotencyKey }));
  return Promise.resolve({ passed: true });
}
