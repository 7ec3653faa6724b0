import { statSync } from 'node:fs';
import { openRemotes, type Remotes } from '../../builder/context/remotes.ts';
import type { BuildOptions, RegistryOptions, SshSource } from '../core/options.ts';
import type { Place } from '../core/place.ts';
import type { Store } from '../core/store.ts';
import type { HttpClient } from '../http/client.ts';
import { secretValue } from './secret-value.ts';

/** Fetches what a build names by address, as registries are reached: proxies, authorities, retries. */
export function remotesOf(
  { secrets, ssh, emit, signal }: Pick<BuildOptions, 'secrets' | 'ssh' | 'emit' | 'signal'>,
  registry: RegistryOptions,
  { place, store }: { readonly place: Place; readonly store: Store },
): Remotes {
  let client: Promise<HttpClient> | undefined;
  const agent = agentOf(ssh);
  const remotes = openRemotes({
    store,
    place,
    emit,
    signal,
    ...(registry.offline && { offline: true }),
    ...(agent !== undefined && { agent }),
    secret: (id) => secretValue(id, secrets),
    client: () => {
      client ??= openClient(registry, place);
      return client;
    },
    retry: {
      retries: registry.retries,
      delayMs: registry.retryDelayMs,
      onRetry: ({ message }, _, delayMs) => {
        const text = `${message}: trying again in ${Math.ceil(delayMs / 1000)} s`;
        emit({ type: 'note', level: 'info', text });
      },
    },
  });
  return {
    ...remotes,
    [Symbol.asyncDispose]: async () => {
      await remotes[Symbol.asyncDispose]();
      await (await client)?.close();
    },
  };
}

/** The socket of `--ssh default=SOCKET`, where that names one. */
function agentOf(sources: readonly SshSource[]): string | undefined {
  const [path, ...others] = sources.find(({ id }) => id === 'default')?.paths ?? [];
  if (path === undefined || others.length > 0) return undefined;
  return statSync(path, { throwIfNoEntry: false })?.isSocket() === true ? path : undefined;
}

/** Loaded when something is downloaded: most builds make no request. */
async function openClient(
  { tlsVerify, certDir, certificates, offline }: RegistryOptions,
  { home }: Place,
): Promise<HttpClient> {
  const { createClient } = await import('../http/client.ts');
  const { certificateFolders } = await import('../registry/registry.ts');
  const { env } = process;
  const certDirs = certificateFolders(env, home);
  return createClient({ env, certDirs, certDir, certificates, tlsVerify, offline });
}
