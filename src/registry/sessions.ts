import type { RegistryOptions } from '../core/options.ts';
import { type ClientOptions, createClient, type HttpClient } from '../http/client.ts';
import type { Credentials } from './credentials.ts';
import { findEndpoint } from './endpoint.ts';
import type { OpenSession } from './fetch.ts';
import { createSession, type Say, type Session } from './session.ts';

/** How a registry is spoken to. */
export interface Manner {
  /** Plain HTTP and any certificate will do. */
  readonly insecure: boolean;
  /** Others can answer in its place: it is not asked again and again. */
  readonly isMirror: boolean;
}

export interface SessionOptions extends ClientOptions, Pick<RegistryOptions, 'retries' | 'retryDelayMs'> {
  readonly credentials: Credentials;
  /** Told of further tries, and what registries warn of. */
  readonly say: Say;
}

/** The sessions with registries: one for each host and manner, opened at the first call and kept. */
export class Sessions {
  readonly #options: SessionOptions;
  readonly #strict: HttpClient;
  readonly #lax: HttpClient;
  readonly #openers = new Map<string, OpenSession>();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#strict = createClient(options);
    this.#lax = options.tlsVerify ? createClient({ ...options, tlsVerify: false }) : this.#strict;
  }

  /** Opens sessions with the credentials that the person has. */
  opener(manner: Manner): OpenSession {
    const key = JSON.stringify([manner.insecure, manner.isMirror]);
    const known = this.#openers.get(key) ?? this.openerWith(this.#options.credentials, manner);
    this.#openers.set(key, known);
    return known;
  }

  /** Opens sessions with other credentials; they are not shared. */
  openerWith(credentials: Pick<Credentials, 'find'>, { insecure, isMirror }: Manner): OpenSession {
    const { certDirs, certDir, certificates, retries, retryDelayMs, say } = this.#options;
    const client = insecure ? this.#lax : this.#strict;
    const tlsVerify = this.#options.tlsVerify && !insecure;
    const often = { retries: isMirror ? Math.min(retries, 1) : retries, retryDelayMs };
    return keeping(async (host, signal) => {
      const endpoint = await findEndpoint(host, {
        ...{ client, tlsVerify, certDirs, certDir, certificates, signal },
      });
      return createSession({ client, endpoint, host, credentials, tlsVerify, say, ...often });
    });
  }

  /** Asks a server that is no registry. */
  readonly request: HttpClient['request'] = (...args) => this.#strict.request(...args);

  async close(): Promise<void> {
    await Promise.all([this.#strict.close(), this.#lax.close()]);
  }
}

/** The same session for the same host, unless it could not be opened. */
function keeping(open: OpenSession): OpenSession {
  const sessions = new Map<string, Promise<Session>>();
  return (host, signal) => {
    const known = sessions.get(host);
    if (known !== undefined) return known;
    const opening = open(host, signal);
    sessions.set(host, opening);
    opening.catch(() => sessions.delete(host));
    return opening;
  };
}
