import { isIP } from 'node:net';
import { BuildError } from '../core/errors.ts';
import { bare, isInNetwork, isLoopback } from './address.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy through which `url` is reached, or undefined for a direct connection. Lower-case variables win over
 * upper-case ones; HTTP_PROXY is ignored inside a CGI program (where a client could set it); loopback is always
 * direct.
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const value = proxyVariable(url.protocol, env);
  if (value === undefined || isLoopback(url.hostname)) return undefined;
  if (isExempt(url, env.no_proxy ?? env.NO_PROXY ?? '')) return undefined;
  return parseProxy(value);
}

/**
 * True when NO_PROXY exempts the address: `*`, a host name (with everything under it), `.suffix` or `*.suffix` (only
 * what is under it), an address, a network (`10.0.0.0/8`), each with an optional `:port`.
 */
export function isExempt(url: URL, noProxy: string): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const rules = noProxy.split(/[\s,]+/).filter((rule) => rule !== '');
  return rules.some((rule) => matches(bare(url.hostname), port, rule.toLowerCase()));
}

function proxyVariable(protocol: string, env: Environment): string | undefined {
  const own = protocol === 'https:' ? (env.https_proxy ?? env.HTTPS_PROXY) : plainProxy(env);
  return (own ?? env.all_proxy ?? env.ALL_PROXY) || undefined;
}

function plainProxy(env: Environment): string | undefined {
  return env.http_proxy ?? (env.REQUEST_METHOD === undefined ? env.HTTP_PROXY : undefined);
}

function parseProxy(value: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  if (URL.canParse(text)) {
    const url = new URL(text);
    const isHttp = url.protocol === 'http:' || url.protocol === 'https:';
    if (isHttp && isEscaped(url.username) && isEscaped(url.password)) return url;
  }
  throw new BuildError('usage', 'the proxy variable does not hold the address of an HTTP proxy', {
    hint: 'Write it as http://user:password@host:port, with %25 for a percent sign; SOCKS proxies are not supported.',
  });
}

function isEscaped(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined;
  } catch {
    return false;
  }
}

function matches(host: string, port: string, rule: string): boolean {
  if (rule === '*') return true;
  if (rule.includes('/')) return isInNetwork(host, rule);
  const { name, rulePort } = splitPort(rule);
  if (rulePort !== undefined && rulePort !== port) return false;
  if (isIP(name) !== 0 || isIP(host) !== 0) return name === host;
  const suffix = name.replace(/^\*/, '');
  if (suffix.startsWith('.')) return host.endsWith(suffix);
  return host === suffix || host.endsWith(`.${suffix}`);
}

function splitPort(rule: string): { name: string; rulePort?: string } {
  const bracketed = /^\[(.+)\](?::(\d+))?$/.exec(rule);
  if (bracketed !== null) return withPort(bracketed[1]!, bracketed[2]);
  if (isIP(rule) === 6) return { name: rule };
  const plain = /^(.*?)(?::(\d+))?$/.exec(rule)!;
  return withPort(plain[1]!, plain[2]);
}

function withPort(name: string, port: string | undefined): { name: string; rulePort?: string } {
  return port === undefined ? { name } : { name, rulePort: port };
}
