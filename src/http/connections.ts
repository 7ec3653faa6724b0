import type { SecureContext } from 'node:tls';
import type { Dispatcher, Pool } from 'undici';
import { BuildError, errnoOf } from '../core/errors.ts';
import {
  type HostCertificates,
  hostCertificates,
  namedAuthorities,
  systemCertificates,
} from './certificates.ts';
import { type Environment, proxyFor } from './proxy.ts';

/** How servers are reached. */
export interface ConnectionOptions {
  /** Where proxies and certificate files are named; never changed. */
  readonly env: Environment;
  /** Folders laid out as `<host[:port]>/{*.crt,*.cert,*.key}`. */
  readonly certDirs: readonly string[];
  /** A folder of such files that counts for every host. */
  readonly certDir?: string | undefined;
  /** Files of authorities, by host. */
  readonly certificates?: Readonly<Record<string, string>> | undefined;
  /** false accepts any certificate, and redirects from https to http. */
  readonly tlsVerify: boolean;
  readonly timeouts?: Timeouts;
}

interface Timeouts {
  /** Default 30 s. */
  readonly connectMs?: number;
  /** From the end of the request to the answer's headers; default 60 s, five minutes after an upload. */
  readonly headersMs?: number;
  /** Between two pieces of an answer's body; default 60 s. */
  readonly idleMs?: number;
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
export class Connections {
  readonly #options: ConnectionOptions;
  readonly #pools = new Map<string, Promise<Connection>>();
  #authorities: readonly string[] | undefined;
  #plainContext: Promise<SecureContext> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** What sends requests to the server of `url`, made at the first use and kept. */
  to(url: URL, alsoTrust?: string): Promise<Connection> {
    const other = alsoTrust === url.host ? undefined : alsoTrust;
    const key = `${url.origin} ${other ?? ''}`;
    const known = this.#pools.get(key) ?? this.#open(url, other);
    this.#pools.set(key, known);
    return known;
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#pools.values());
    await Promise.all(opened.map((one) => one.status === 'fulfilled' && one.value.dispatcher.destroy()));
  }

  async #open(url: URL, alsoTrust: string | undefined): Promise<Connection> {
    // CommonJS: in a bundle only its default export carries the names.
    const { default: undici } = await import('undici');
    const { Pool, ProxyAgent } = undici;
    const proxy = proxyFor(url, this.#options.env);
    const connect = await this.#tlsFor(url, alsoTrust);
    if (proxy === undefined) return { dispatcher: new Pool(url.origin, { connect }), proxy };
    const dispatcher = new ProxyAgent({
      uri: proxy.origin,
      ...(proxy.username !== '' && { token: basic(proxy) }),
      proxyTunnel: url.protocol === 'https:',
      requestTls: connect,
      proxyTls: await this.#tlsFor(proxy, undefined),
      factory: (origin, options) => new Pool(origin, endingTries(options)),
      clientFactory: (origin, options) => new Pool(origin, { ...options, headersTimeout: connect.timeout }),
    });
    return { dispatcher, proxy };
  }

  async #tlsFor(url: URL, alsoTrust: string | undefined): Promise<Tls> {
    const { tlsVerify, timeouts } = this.#options;
    const plain = { rejectUnauthorized: tlsVerify, timeout: timeouts?.connectMs ?? 30_000 };
    if (url.protocol !== 'https:') return plain;
    return { ...plain, secureContext: await this.#contextFor(url, alsoTrust) };
  }

  /** A host's own client certificate is for it alone; another's authorities may count as well. */
  #contextFor(url: URL, alsoTrust: string | undefined): Promise<SecureContext> {
    const { certDirs, certDir, certificates } = this.#options;
    const names = url.port === '' ? [url.host, `${url.host}:443`] : [url.host];
    const named = [...names, ...(alsoTrust === undefined ? [] : [alsoTrust])].flatMap((name) =>
      namedAuthorities(name, certificates),
    );
    const own = names.map((name, i) => hostCertificates(name, certDirs, i === 0 ? certDir : undefined));
    const others = alsoTrust === undefined ? [] : [hostCertificates(alsoTrust, certDirs)];
    const ca = [...named, ...[...own, ...others].flatMap((found) => found.ca)];
    const client = own.find((found) => found.cert !== undefined);
    if (ca.length === 0 && client === undefined) {
      this.#plainContext ??= secureContext({ ca: this.#trusted() });
      return this.#plainContext;
    }
    return secureContext({ ...client, ca: [...this.#trusted(), ...ca] });
  }

  #trusted(): readonly string[] {
    if (!this.#options.tlsVerify) return [];
    this.#authorities ??= systemCertificates(this.#options.env);
    return this.#authorities;
  }
}

/**
 * A proxy that hangs up instead of answering: undici takes that for a connection that merely ended, and begins anew for
 * ever. Under another code it is a failure.
 */
function endingTries(options: Pool.Options): Pool.Options {
  const { connect } = options;
  if (typeof connect !== 'function') return options;
  return {
    ...options,
    connect: (target, callback) =>
      connect(target, (...[error, socket]) => {
        if (error === null) return callback(null, socket);
        const isEnd = errnoOf(error) === 'UND_ERR_SOCKET';
        callback(isEnd ? Object.assign(new Error(error.message), { code: 'ECONNRESET' }) : error, null);
      }),
  };
}

async function secureContext(parts: HostCertificates): Promise<SecureContext> {
  const { createSecureContext } = await import('node:tls');
  try {
    return createSecureContext({ ...parts, ca: [...parts.ca] });
  } catch {
    throw new BuildError('usage', 'a certificate or key for TLS cannot be understood', {
      hint: 'SSL_CERT_FILE, NODE_EXTRA_CA_CERTS and certs.d hold PEM files; a .cert needs its .key of the same name.',
    });
  }
}

function basic(proxy: URL): string {
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
