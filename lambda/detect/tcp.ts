import { connect } from 'node:net';
import type { TcpProbeConfig } from '../core/detection-config';
import { noAnswer, tooSlow } from './network';
import { healthy, unhealthy, type Reading } from './reading';

/** Whether the port takes a connection. Nothing is sent. */
export function probeTcp(config: Omit<TcpProbeConfig, 'name'>): Promise<Reading> {
  const { host, port, timeoutMs } = config;
  const began = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (reading: Reading): void => {
      socket.destroy();
      clearTimeout(timer);
      resolve(reading);
    };
    // Also the look-up of the name counts, which a socket's own time-out does not cover.
    const timer = setTimeout(() => { end(unhealthy(`no connection in ${timeoutMs} ms`)); }, timeoutMs);
    socket.once('connect', () => {
      const taken = Math.round(performance.now() - began);
      end(tooSlow(taken, config) ?? healthy(`connected in ${taken} ms`));
    });
    socket.once('error', (error) => { end(noAnswer(error)); });
  });
}
