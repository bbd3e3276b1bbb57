import { isIP } from 'node:net';
import { Token } from 'aws-cdk-lib';
import type { ProbeConfig } from '../../lambda/core/detection-config';
import { overlaps, parseCidr } from '../../lambda/core/cidr';
import { timeoutMs } from './limits';
import type { HttpProbeOptions, ProbeOptions } from './signal-options';
import type { BoundSignal, SignalPlace, SignalSpec } from './signal-spec';

/** RFC 1918, and carrier-grade NAT (RFC 6598), which VPCs may use too. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'].map(parseCidr);
/** Names that VPCs resolve and nobody else does. */
const PRIVATE_NAME = /(^|\.)(internal|local|lan|corp)$/i;

export function httpProbe(url: string, options: HttpProbeOptions): SignalSpec {
  const parsed = Token.isUnresolved(url) ? undefined : urlOf(url);
  const { status, bodyMatch } = options;
  const statuses = status === undefined ? undefined : [status].flat();
  for (const one of statuses ?? []) if (!Number.isInteger(one) || one < 100 || one > 599) throw new Error(`status of an HTTP probe must be from 100 to 599, got ${one}.`);
  const expected = bodyMatch === undefined ? undefined : expression(bodyMatch);
  return {
    defaultName: parsed === undefined ? 'http' : `http-${parsed.host}${parsed.pathname}`,
    problems: ({ context }) => networkProblems(url, parsed?.hostname, options, context.recoveryRegion),
    bind: (name, place) => bound({ kind: 'http', name, url, statuses, bodyMatch: expected, ...common(options) }, options, place),
  };
}

export function tcpProbe(host: string, port: number, options: ProbeOptions): SignalSpec {
  if (!Token.isUnresolved(port) && (!Number.isInteger(port) || port < 1 || port > 65_535)) throw new Error(`The port of a TCP probe must be from 1 to 65535, got ${port}.`);
  return {
    defaultName: Token.isUnresolved(host) ? 'tcp' : `tcp-${host}-${port}`,
    problems: ({ context }) => networkProblems(`${host}:${port}`, host, options, context.recoveryRegion),
    bind: (name, place) => bound({ kind: 'tcp', name, host, port, ...common(options) }, options, place),
  };
}

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw new Error(`The URL of a probe must be http://… or https://…, got '${text}'.`);
  if (url.username !== '' || url.password !== '') throw new Error('The URL of a probe must not have a password in it: it is shown in templates and messages.');
  return url;
}

function common(options: ProbeOptions): { readonly timeoutMs: number; readonly maxLatencyMs?: number } {
  const limit = timeoutMs(options.timeout);
  const maxLatencyMs = options.maxLatency?.toMilliseconds();
  if (maxLatencyMs !== undefined && (maxLatencyMs < 1 || maxLatencyMs > limit)) throw new Error(`maxLatency of a probe must be from 1 ms to its timeout of ${limit} ms, got ${maxLatencyMs} ms.`);
  return { timeoutMs: limit, ...(maxLatencyMs === undefined ? {} : { maxLatencyMs }) };
}

function bound(config: ProbeConfig, { vpc, vpcSubnets: subnets, securityGroups }: ProbeOptions, place: SignalPlace): BoundSignal {
  if (vpc === undefined) return { config, permissions: [] };
  const via = place.probeFunction({ vpc, subnets, securityGroups });
  return { config: { ...config, via }, permissions: [{ actions: ['lambda:InvokeFunction'], resources: [via] }] };
}

function networkProblems(what: string, host: string | undefined, { vpc }: ProbeOptions, recoveryRegion: string): string[] {
  const region = vpc?.env.region;
  if (region !== undefined && !Token.isUnresolved(region) && !Token.isUnresolved(recoveryRegion) && region !== recoveryRegion) {
    return [`The VPC of the probe of ${what} is in Region '${region}', not in the recovery Region '${recoveryRegion}'. Detection must not need another Region.`];
  }
  if (vpc !== undefined || host === undefined || Token.isUnresolved(host) || !isPrivate(host)) return [];
  return [`The probe of ${what} goes to a private address, which nobody outside of its network can reach. Give it a vpc of the recovery Region from which there is a way, or probe a public address.`];
}

function isPrivate(host: string): boolean {
  if (isIP(host) === 4) return PRIVATE.some((block) => overlaps(block, parseCidr(`${host}/32`)));
  return PRIVATE_NAME.test(host);
}

function expression(match: string | RegExp): { readonly source: string; readonly flags: string } {
  if (typeof match !== 'string') return { source: match.source, flags: match.flags.replace(/[gy]/g, '') };
  return { source: match.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'), flags: '' };
}
