const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Cleans up when this process is asked to end, then lets it end as it would have. Gives a function that takes this back. */
export function endWithProcess(cleanUp: () => Promise<void>): () => void {
  const handlers = SIGNALS.map((signal) => {
    const handler = (): void => {
      void cleanUp().finally(() => {
        release();
        // Whoever else listens decides; without anybody the signal does what it does by default.
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      });
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  const release = (): void => {
    for (const { signal, handler } of handlers) process.removeListener(signal, handler);
  };
  return release;
}
