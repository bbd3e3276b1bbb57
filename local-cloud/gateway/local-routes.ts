import type { IncomingMessage, ServerResponse } from 'node:http';
import { readAll } from './proxy';

/** A call of the emulator into the local cloud: what it cannot do itself. The answer is sent as JSON. */
export type LocalHandler = (body: Record<string, unknown>) => Promise<unknown>;

export async function answerLocally(handlers: ReadonlyMap<string, LocalHandler>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const handler = handlers.get(new URL(request.url ?? '/', 'http://localhost').pathname);
  const answer = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}));
  };
  if (!handler) {
    answer(404, { message: `No such route: ${request.url}` });
    return;
  }
  try {
    const text = (await readAll(request)).toString('utf8');
    answer(200, await handler((text ? JSON.parse(text) : {}) as Record<string, unknown>));
  } catch (error) {
    answer(500, { message: error instanceof Error ? error.message : String(error) });
  }
}
