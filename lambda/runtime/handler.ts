import { lambdaDeadline } from './deadline';
import { readEnvironment, type Environment } from './env';
import { createLog, type LogDetails } from './log';
import { emfSink } from './metrics';
import { realTime, type Tools } from './tools';

/** The part of Lambda's context that is used. */
export interface InvocationContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

export type Handler<I, O> = (input: I, context: InvocationContext) => Promise<O>;

interface Identified {
  readonly cycle?: { readonly cycleId?: string };
  readonly run?: { readonly runId?: string };
  readonly wave?: number;
  readonly phase?: string;
}

/**
 * A Lambda handler around a step: the environment is read and the ports are made once, while the module loads; each
 * invocation gets its own log context and deadline. An error is logged and thrown on, for the state machine to see.
 */
export function handlerOf<P, I, O>(
  step: string, connect: (environment: Environment) => P, work: (input: I, ports: P, tools: Tools) => Promise<O>,
): Handler<I, O> {
  const environment = readEnvironment();
  const ports = connect(environment);
  return async (input, context) => {
    const log = createLog({ project: environment.project, step, request: context.awsRequestId, ...identity(input) });
    const tools: Tools = { log, metrics: emfSink(environment.project), deadline: lambdaDeadline(context), ...realTime };
    try {
      const result = await work(input, ports, tools);
      log.info('Step ended', { result: summaryOf(result) });
      return result;
    } catch (error) {
      log.error('Step failed', { error });
      throw error;
    }
  };
}

function identity(input: unknown): LogDetails {
  if (typeof input !== 'object' || input === null) return {};
  const { cycle, run, wave, phase } = input as Identified;
  return { cycle: cycle?.cycleId, run: run?.runId, wave, phase };
}

/** Results are small; a run's evidence is not, and the catalogue has it. */
function summaryOf(result: unknown): unknown {
  const text = JSON.stringify(result) as string | undefined;
  return text === undefined || text.length <= 2000 ? result : `${text.length} characters`;
}
