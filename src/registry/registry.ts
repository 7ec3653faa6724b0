import { join } from 'node:path';
import { BuildError } from '../core/errors.ts';
import type { RegistryOptions } from '../core/options.ts';
import type { Place } from '../core/place.ts';
import type { FetchBlob } from '../core/store.ts';
import type { Image, Platform } from '../core/types.ts';
import { createClient, type HttpClient } from '../http/client.ts';
import type { Environment } from '../http/proxy.ts';
import type { Reference } from '../oci/reference.ts';
import { type RunOutside, runDirectly } from './credential-helper.ts';
import { type Credentials, openCredentials } from './credentials.ts';
import { type EndpointOptions, findEndpoint } from './endpoint.ts';
import { blobFetcher, type OpenSession } from './fetch.ts';
import { type PushOptions, pushImage } from './push.ts';
import { type PushedIndex, pushIndex } from './push-index.ts';
import type { Pushed } from './put-manifest.ts';
import {
  type FoundManifest,
  type Resolved,
  remoteDigest,
  remoteManifest,
  resolveAll,
  resolveImage,
} from './resolve.ts';
import { createSession, type Say, type Session } from './session.ts';

/** What registries are to the rest of tsbuild. */
export interface Registry {
  /** What a reference means for a platform; layers are named, not fetched. */
  resolve(reference: Reference, platform: Platform, signal?: AbortSignal): Promise<Resolved>;
  /** The digest that a tag has now, without fetching anything; undefined when there is no such image. */
  digest(reference: Reference, signal?: AbortSignal): Promise<string | undefined>;
  /** What a reference names, byte for byte: a manifest or an index. */
  manifest(reference: Reference, signal?: AbortSignal): Promise<FoundManifest>;
  /** Every image that a reference stands for; layers are named, not fetched. */
  resolveAll(reference: Reference, signal?: AbortSignal): Promise<readonly Image[]>;
  readonly fetch: FetchBlob;
  push(image: Image, references: readonly Reference[], options: PushOptions): Promise<Pushed>;
  /** Images for several platforms, and their index under every name. */
  pushIndex(
    images: readonly Image[],
    references: readonly Reference[],
    options: PushOptions,
  ): Promise<PushedIndex>;
  /** Fails with `denied` when the registry does not accept the login. */
  checkLogin(host: string, username: string, password: string, signal?: AbortSignal): Promise<void>;
  readonly credentials: Credentials;
  /** Ends connections that are kept open; without it they end by themselves, and keep no process alive. */
  close(): Promise<void>;
}

export interface Surroundings {
  readonly env: Environment;
  readonly place: Pick<Place, 'home' | 'runtimeDir'>;
  /** Runs credential helpers as the person; default a plain child. */
  readonly runOutside?: RunOutside;
  /** Told of further tries, and what registries warn of. */
  readonly say?: Say | undefined;
}

/** Registries as this person reaches them. Nothing is read and nothing is sent before the first call. */
export function connect(options: RegistryOptions, surroundings: Surroundings): Registry {
  const { env, place, runOutside = runDirectly, say } = surroundings;
  const { tlsVerify, certDir, offline } = options;
  const certDirs = certificateFolders(env, place.home);
  const client = createClient({ env, certDirs, certDir, tlsVerify, offline });
  const credentials = openCredentials({
    env,
    place,
    runOutside,
    authFile: options.authFile,
    creds: options.creds,
  });
  const endpoints = { client, tlsVerify, certDirs, certDir, say };
  const open = sessionOpener(client, credentials, { ...options, ...endpoints });
  return {
    resolve: (reference, platform, signal) => resolveImage(reference, { open, platform, signal }),
    digest: (reference, signal) => remoteDigest(reference, open, signal),
    manifest: (reference, signal) => remoteManifest(reference, { open, signal }),
    resolveAll: (reference, signal) => resolveAll(reference, { open, signal }),
    fetch: blobFetcher(open),
    push: (image, references, pushOptions) => pushImage(image, references, open, pushOptions),
    pushIndex: (images, references, pushOptions) => pushIndex(images, references, open, pushOptions),
    checkLogin: async (host, username, password, signal) => {
      const secret = { type: 'password', username, password } as const;
      const own = { find: async () => secret };
      await checkLogin(await sessionOpener(client, own, { ...options, ...endpoints })(host, signal), signal);
    },
    credentials,
    close: () => client.close(),
  };
}

/** Where docker and containers keep certificates by host, the person's own first. */
export function certificateFolders(env: Environment, home: string): string[] {
  const config = env.XDG_CONFIG_HOME || join(home, '.config');
  const folders = [join(config, 'containers/certs.d'), join(home, '.docker/certs.d')];
  return [...folders, '/etc/containers/certs.d', '/etc/docker/certs.d'];
}

function sessionOpener(
  client: HttpClient,
  credentials: Pick<Credentials, 'find'>,
  options: Pick<RegistryOptions, 'retries' | 'retryDelayMs'> & EndpointOptions & Pick<Surroundings, 'say'>,
): OpenSession {
  const sessions = new Map<string, Promise<Session>>();
  const { tlsVerify, retries, retryDelayMs, say } = options;
  return (host, signal) => {
    const known = sessions.get(host);
    if (known !== undefined) return known;
    const opening = findEndpoint(host, { ...options, signal }).then((endpoint) =>
      createSession({ client, endpoint, host, credentials, tlsVerify, retries, retryDelayMs, say }),
    );
    sessions.set(host, opening);
    opening.catch(() => sessions.delete(host));
    return opening;
  };
}

async function checkLogin(session: Session, signal: AbortSignal | undefined): Promise<void> {
  await session.retrying(async () => {
    const response = await session.request('/v2/', { access: { scopes: [] }, signal });
    if (response.status === 200) return response.discard();
    if (response.status !== 401) throw await session.refusal(response, `Logging in to ${session.host}`);
    await response.discard();
    throw new BuildError(
      'denied',
      `the registry ${session.host} does not accept this user name and password`,
      {
        hint: 'Some registries want an access token in place of the password.',
      },
    );
  }, signal);
}
