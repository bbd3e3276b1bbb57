export type LogLevel = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

/** What a line can be searched by. */
export interface LogContext {
  readonly project?: string;
  readonly endpoint?: string;
  readonly member?: string;
  readonly recoveryPoint?: string;
  readonly run?: string;
  readonly cycle?: string;
}

/** Further values of one line. */
export type LogDetails = LogContext & Readonly<Record<string, unknown>>;

/** Writes one JSON object per line. */
export interface Log {
  info(message: string, details?: LogDetails): void;
  warn(message: string, details?: LogDetails): void;
  error(message: string, details?: LogDetails): void;
  /** The same log with more context on every line. */
  with(context: LogDetails): Log;
}

export type LineSink = (line: string) => void;

export function createLog(context: LogDetails = {}, sink: LineSink = console.log, clock: () => Date = () => new Date()): Log {
  const write = (level: LogLevel, message: string, details: LogDetails = {}): void => {
    sink(JSON.stringify({ level, time: clock().toISOString(), message, ...context, ...details }, plainErrors));
  };
  return {
    info: (message, details) => write('INFO', message, details),
    warn: (message, details) => write('WARN', message, details),
    error: (message, details) => write('ERROR', message, details),
    with: (more) => createLog({ ...context, ...more }, sink, clock),
  };
}

/** For steps that are run without a reader. */
export const silentLog: Log = createLog({}, () => undefined);

/** An Error has no enumerable field: JSON would show `{}`. */
function plainErrors(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return { name: value.name, message: value.message, stack: value.stack };
}
