import { openRemotes, type Remotes } from '../../builder/context/remotes.ts';
import type { BuildOptions, RegistryOptions } from '../core/options.ts';
import type { Place } from '../core/place.ts';
import type { Store } from '../core/store.ts';
import type { HttpClient } from '../http/client.ts';
import { secretValue } from './secret-value.ts';

/** Fetches what a build names by address, as registries are reached: proxies, authorities, retries. */
export function remotesOf(
  { secrets, emit, signal }: BuildOptions,
  registry: RegistryOptions,
  { place, store }: { readonly place: Place; readonly store: Store },
): Remotes {
  let client: Promise<HttpClient> | undefined;
  const remotes = openRemotes({
    store,
    place,
    emit,
    signal,
    secret: (id) => secretValue(id, secrets),
    client: () => {
      client ??= openClient(registry, place);
      return client;
    },
    retry: { retries: registry.retries, delayMs: registry.retryDelayMs },
  });
  return {
    ...remotes,
    [Symbol.asyncDispose]: async () => {
      await remotes[Symbol.asyncDispose]();
      await (await client)?.close();
    },
  };
}

/** Loaded when something is downloaded: most builds make no request. */
async function openClient({ tlsVerify, certDir }: RegistryOptions, { home }: Place): Promise<HttpClient> {
  const { createClient } = await import('../http/client.ts');
  const { certificateFolders } = await import('../registry/registry.ts');
  const { env } = process;
  return createClient({ env, certDirs: certificateFolders(env, home), certDir, tlsVerify });
}
