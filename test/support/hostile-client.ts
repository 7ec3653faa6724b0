import type { Platform } from '../../src/core/types.ts';
import { createClient } from '../../src/http/client.ts';
import { blobFetcher, type OpenSession } from '../../src/registry/fetch.ts';
import type { Secret } from '../../src/registry/secret.ts';
import { createSession } from '../../src/registry/session.ts';
import type { HostileRegistry } from './hostile-registry/registry.mjs';
import type { NamedSwitches } from './hostile-registry/switches.mjs';

export const login = { username: 'ann', password: 'p:w"s3cret', identity: 'refresh-s3cret' };
export const amd64: Platform = { os: 'linux', architecture: 'amd64' };

export interface HostileClient {
  /** The registry's name in references. */
  readonly host: string;
  readonly open: OpenSession;
  readonly fetch: ReturnType<typeof blobFetcher>;
  /** What the person was told, warnings and further tries. */
  readonly told: string[];
  close(): Promise<void>;
}

/** The product's client as it meets a hostile registry: few tries, no pauses, and short limits where answers are late. */
export function hostileClient(
  registry: Pick<HostileRegistry, 'origin' | 'host'>,
  row: Pick<NamedSwitches, 'slow' | 'identity' | 'auth'>,
  through: { readonly env?: Record<string, string>; readonly host?: string } = {},
): HostileClient {
  const lateMs = { once: 1000, always: 100 }[row.slow ?? 'once'];
  const timeouts = row.slow === undefined ? {} : { headersMs: lateMs, idleMs: lateMs };
  const { env = {}, host = registry.host } = through;
  const client = createClient({ env, certDirs: [], tlsVerify: true, timeouts });
  const endpoint = new URL(host === registry.host ? registry.origin : `https://${host}`);
  const secret = secretOf(row);
  const told: string[] = [];
  const session = createSession({
    client,
    endpoint,
    host,
    credentials: { find: async () => secret },
    tlsVerify: true,
    retries: row.slow === 'always' ? 1 : 3,
    retryDelayMs: 1,
    say: (text) => told.push(text),
  });
  const open: OpenSession = async () => session;
  return { host, open, fetch: blobFetcher(open), told, close: () => client.close() };
}

function secretOf({ identity, auth }: Pick<NamedSwitches, 'identity' | 'auth'>): Secret | undefined {
  const { username, password } = login;
  if (auth === undefined) return undefined;
  return identity
    ? { type: 'identity', username, token: login.identity }
    : { type: 'password', username, password };
}
