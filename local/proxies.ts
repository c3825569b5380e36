import http from 'node:http';

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];
const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

/**
 * A proxy of the environment is for other machines: what this process and its children ask of loopback goes
 * there directly. Node obeys the environment where NODE_USE_ENV_PROXY says so, and has read it by now.
 */
export function bypassProxiesOnLoopback(): void {
  const { env } = process;
  const given = (env['no_proxy'] || env['NO_PROXY'] || '').split(',').map((host) => host.trim());
  const hosts = new Set([...given, ...LOOPBACK].filter((host) => host !== ''));
  env['NO_PROXY'] = [...hosts].join(',');
  env['no_proxy'] = env['NO_PROXY'];
  if (env['NODE_USE_ENV_PROXY'] === '1') http.setGlobalProxyFromEnv();
}

/** For lines to copy into a shell with this environment; undefined where it has no proxy. */
export const noProxyOf = (env: NodeJS.ProcessEnv): string | undefined =>
  VARIABLES.some((name) => env[name]) ? env['NO_PROXY'] : undefined;

/** For what obeys a proxy and knows no exceptions, as LiveKit's client in Rust. */
export function forgetProxies(): void {
  for (const name of VARIABLES) delete process.env[name];
}

export const isOnLoopback = (url: string): boolean =>
  LOOPBACK.includes(new URL(url).hostname.replace(/^\[|\]$/g, ''));
