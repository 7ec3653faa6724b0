import type { SecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import { BuildError } from '../core/errors.ts';
import { hostCertificates, systemCertificates } from './certificates.ts';
import type { ClientOptions } from './client.ts';
import { proxyFor } from './proxy.ts';

export interface Connections {
  /** What sends requests to the server of `url`, made at the first use and kept. */
  to(url: URL, alsoTrust?: string): Promise<Connection>;
  close(): Promise<void>;
}

export interface Connection {
  readonly dispatcher: Dispatcher;
  readonly proxy: URL | undefined;
}

interface Tls {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized: boolean;
  readonly timeout: number;
}

/** Connections to servers, one pool each, through the proxy and with the certificates that belong to it. */
export function connections(options: ClientOptions): Connections {
  const pools = new Map<string, Promise<Connection>>();
  let system: readonly string[] | undefined;
  let systemContext: Promise<SecureContext> | undefined;

  const to = (url: URL, alsoTrust?: string): Promise<Connection> => {
    const key = `${url.origin} ${alsoTrust ?? ''}`;
    const known = pools.get(key) ?? open(url, alsoTrust);
    pools.set(key, known);
    return known;
  };

  const open = async (url: URL, alsoTrust: string | undefined): Promise<Connection> => {
    const { Pool, ProxyAgent } = await import('undici');
    const proxy = proxyFor(url, options.env);
    const connect = await tlsFor(url, alsoTrust);
    if (proxy === undefined) return { dispatcher: new Pool(url.origin, { connect }), proxy };
    const dispatcher = new ProxyAgent({
      uri: proxy.origin,
      ...(proxy.username !== '' && { token: basic(proxy) }),
      proxyTunnel: url.protocol === 'https:',
      requestTls: connect,
      proxyTls: proxy.protocol === 'https:' ? await tlsFor(proxy, undefined) : { timeout: connect.timeout },
    });
    return { dispatcher, proxy };
  };

  const tlsFor = async (url: URL, alsoTrust: string | undefined): Promise<Tls> => {
    const plain = { rejectUnauthorized: options.tlsVerify, timeout: options.timeouts?.connectMs ?? 30_000 };
    if (url.protocol !== 'https:') return plain;
    return { ...plain, secureContext: await contextFor(url, alsoTrust) };
  };

  const contextFor = async (url: URL, alsoTrust: string | undefined): Promise<SecureContext> => {
    const hosts = [
      url.host,
      ...(url.port === '' ? [`${url.host}:443`] : []),
      ...(alsoTrust ? [alsoTrust] : []),
    ];
    const [own, ...others] = hosts.map((host, i) =>
      hostCertificates(host, options.certDirs, i === 0 ? options.certDir : undefined),
    );
    const ca = [own!, ...others].flatMap((found) => found.ca);
    // A client certificate is for its own host alone.
    const client = own!.cert !== undefined ? own! : url.port === '' ? others[0]! : own!;
    if (ca.length === 0 && client.cert === undefined) {
      systemContext ??= secureContext({ ca: trusted() });
      return systemContext;
    }
    return secureContext({
      ca: [...trusted(), ...ca],
      ...(client.cert && { cert: client.cert, key: client.key! }),
    });
  };

  const trusted = (): readonly string[] => {
    if (!options.tlsVerify) return [];
    system ??= systemCertificates(options.env);
    return system;
  };

  const close = async (): Promise<void> => {
    const open = await Promise.allSettled(pools.values());
    await Promise.all(open.map((one) => one.status === 'fulfilled' && one.value.dispatcher.destroy()));
  };
  return { to, close };
}

async function secureContext(parts: {
  ca: readonly string[];
  cert?: string;
  key?: string;
}): Promise<SecureContext> {
  const { createSecureContext } = await import('node:tls');
  try {
    return createSecureContext({ ...parts, ca: [...parts.ca] });
  } catch {
    throw new BuildError('usage', 'A certificate or key for TLS cannot be understood.', {
      hint: 'SSL_CERT_FILE, NODE_EXTRA_CA_CERTS and certs.d hold PEM files; a .cert needs its .key of the same name.',
    });
  }
}

function basic(proxy: URL): string {
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
