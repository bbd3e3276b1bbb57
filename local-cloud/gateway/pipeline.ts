import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FaultSpec } from '../faults/fault';
import type { Faults } from '../faults/faults';
import type { Judge } from '../iam/judge';
import type { Session } from '../iam/session';
import type { Sessions } from '../iam/sessions';
import type { CallLog, CallRecord } from './call-log';
import { credentialScope, isStreamed, parseForm, parseJson, type ApiCall } from './call';
import { REGION_UNAVAILABLE, accessDenied, errorAnswer, errorCodeOf, internalError, throttled, type ServiceError } from './error-answers';
import { operationOf } from './operations';
import { forward, readAll, withoutHopByHop, type Proxy, type Upstream } from './proxy';

/** How long a call that "times out" is held, if its caller waits that long. */
const TIMEOUT_HOLD_MS = 120_000;
const DEFAULT_DELAY_MS = 2000;

export interface PipelineParts {
  readonly proxy: Proxy;
  readonly log: CallLog;
  readonly faults: Faults;
  readonly sessions: Sessions;
  /** Absent: nothing is judged. */
  readonly judge?: Judge;
  /** Ends the worker process that made a call; false when there is none. */
  readonly killWorker: (workerId: string) => boolean;
  /** Sees each call that was answered without error, e.g. to forget what is no longer true. */
  readonly onDone: (call: ApiCall, upstream: Upstream, session: Session | undefined) => void;
}

type Outcome = Pick<CallRecord, 'status'> & Partial<Pick<CallRecord, 'errorCode' | 'decision' | 'reason' | 'fault'>>;

/** What happens to one API call: refused Region → fault → judgement → emulator → record. */
export class CallPipeline {
  public constructor(private readonly parts: PipelineParts) {}

  public async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now();
    const began = performance.now();
    const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`);
    const scope = credentialScope(request.headers, url);
    const method = request.method ?? 'GET';
    const streamed = isStreamed(scope?.service ?? 's3', method, url.pathname);
    const body = streamed ? undefined : await readAll(request);
    const form = parseForm(request.headers, url, body);
    const service = scope?.service ?? 'unsigned';
    const call: ApiCall = {
      method, url, headers: request.headers, accessKeyId: scope?.accessKeyId ?? '', region: scope?.region ?? 'none', service,
      operation: operationOf(service, method, url, request.headers, form), form, json: parseJson(request.headers, body), ...(body ? { body } : {}),
    };
    const session = this.parts.sessions.find(call.accessKeyId);
    let outcome: Outcome = { status: 0, errorCode: 'EmulatorFailed' };
    try {
      outcome = await this.run(call, session, request, response);
    } finally {
      this.parts.log.add({
        at, region: call.region, service, operation: call.operation, principal: session?.label ?? 'operator',
        decision: 'unjudged', ...outcome, milliseconds: performance.now() - began,
      });
    }
  }

  private async run(call: ApiCall, session: Session | undefined, request: IncomingMessage, response: ServerResponse): Promise<Outcome> {
    const refusal = this.parts.faults.refusal(call.region);
    if (refusal === 'connection') {
      response.destroy();
      return { status: 0, errorCode: 'RegionRefused', fault: 'refused-region' };
    }
    if (refusal === 'unavailable') return { ...this.fail(call, response, REGION_UNAVAILABLE), fault: 'refused-region' };

    const fault = this.parts.faults.next({ ...call, principal: session?.label ?? 'operator', killable: session?.workerId !== undefined });
    const struck = fault ? await this.strikeBefore(fault, call, session, response) : undefined;
    if (struck) return struck;

    const verdict = session && this.parts.judge ? await this.parts.judge.judge(session, call) : undefined;
    if (verdict?.allowed === false) {
      return { ...this.fail(call, response, accessDenied(call.service, verdict.reason)), decision: 'denied', reason: verdict.reason };
    }

    const upstream = fault?.kind === 'duplicate' ? await this.passTwice(call, session, request) : await this.pass(call, request);
    if (upstream.status < 400) this.parts.onDone(call, upstream, session);
    const done: Outcome = {
      status: upstream.status, ...(verdict ? { decision: 'allowed' } : {}),
      ...(upstream.status < 400 ? {} : { errorCode: errorCodeOf(headerOf(upstream, 'x-amzn-errortype'), upstream.body?.toString('utf8') ?? '') }),
    };
    if (fault && (fault.kind === 'drop-answer' || fault.kind === 'kill-caller')) {
      upstream.stream?.resume();
      this.kill(fault, session);
      response.destroy();
      return { ...done, status: 0, errorCode: 'AnswerDropped', fault: fault.kind };
    }
    await forward(upstream, response);
    return fault ? { ...done, fault: fault.kind } : done;
  }

  /** A body that would be streamed is kept for the second time. */
  private async passTwice(call: ApiCall, session: Session | undefined, request: IncomingMessage): Promise<Upstream> {
    const kept = call.body ? call : { ...call, body: await readAll(request) };
    const first = await this.pass(kept, request);
    first.stream?.resume();
    if (first.status < 400) this.parts.onDone(kept, first, session);
    return this.pass(kept, request);
  }

  private pass(call: ApiCall, request: IncomingMessage): Promise<Upstream> {
    const headers = withoutHopByHop(call.headers);
    if (call.body) headers['content-length'] = call.body.length;
    const path = `${call.url.pathname}${call.url.search}`;
    // Whoever assumes a role is followed by the credentials in the answer.
    return this.parts.proxy.send({ method: call.method, path, headers, body: call.body ?? request, readAnswer: call.service === 'sts' });
  }

  /** The part of a fault that comes before the work; an outcome means that the work is not done. */
  private async strikeBefore(fault: FaultSpec, call: ApiCall, session: Session | undefined, response: ServerResponse): Promise<Outcome | undefined> {
    switch (fault.kind) {
      case 'throttle':
        return { ...this.fail(call, response, throttled(call.service)), fault: fault.kind };
      case 'error':
        return { ...this.fail(call, response, internalError(call.service)), fault: fault.kind };
      case 'timeout':
        await closedOr(response, TIMEOUT_HOLD_MS);
        response.destroy();
        return { status: 0, errorCode: 'TimedOut', fault: fault.kind };
      case 'slow':
        await closedOr(response, fault.delayMs ?? DEFAULT_DELAY_MS);
        return undefined;
      case 'kill-caller':
        if (fault.when !== 'before') return undefined;
        this.kill(fault, session);
        response.destroy();
        return { status: 0, errorCode: 'CallerKilled', fault: fault.kind };
      case 'refuse-region':
        this.parts.faults.refuseRegion(call.region);
        response.destroy();
        return { status: 0, errorCode: 'RegionRefused', fault: fault.kind };
      case 'drop-answer':
      case 'duplicate':
        return undefined;
    }
  }

  private kill(fault: FaultSpec, session: Session | undefined): void {
    if (fault.kind === 'kill-caller' && session?.workerId) this.parts.killWorker(session.workerId);
  }

  private fail(call: ApiCall, response: ServerResponse, error: ServiceError): Outcome {
    const { status, headers, body } = errorAnswer(call, error, randomUUID());
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
    return { status, errorCode: error.code };
  }
}

function headerOf(upstream: Upstream, name: string): string | undefined {
  const value = upstream.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Waits, but not for longer than the caller does. */
function closedOr(response: ServerResponse, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    timer.unref();
    response.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
