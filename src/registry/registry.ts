import { join } from 'node:path';
import { BuildError } from '../core/errors.ts';
import { once } from '../core/once.ts';
import type { RegistryOptions } from '../core/options.ts';
import type { Place } from '../core/place.ts';
import type { FetchBlob } from '../core/store.ts';
import type { Image, Origin, Platform } from '../core/types.ts';
import type { HttpClient } from '../http/client.ts';
import type { Environment } from '../http/proxy.ts';
import { retrying } from '../http/retry.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import { type RunOutside, runDirectly } from './credential-helper.ts';
import { type Credentials, openCredentials } from './credentials.ts';
import type { OpenSession } from './fetch.ts';
import { Mirrored } from './mirrored.ts';
import { mayBeInsecure, meaningOf, type Rules } from './places.ts';
import { type PushOptions, pushImage } from './push.ts';
import { type PushedIndex, pushIndex } from './push-index.ts';
import type { Pushed } from './put-manifest.ts';
import { readRegistriesConf } from './registries-conf.ts';
import type { FoundManifest, Resolved } from './resolve.ts';
import type { Say, Session } from './session.ts';
import { Sessions } from './sessions.ts';

/** What registries are to the rest of tsbuild. */
export interface Registry {
  /** What a name means here: short ones may have an alias in registries.conf. Fails with `usage` on what is no name. */
  meaning(name: string): Promise<Reference>;
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
  /**
   * Talks to the registries of these names themselves, not to mirrors; each time the same session. Fails with `denied`
   * where registries.conf blocks one.
   */
  openFor(names: readonly Origin[]): Promise<OpenSession>;
  /** Asks a server that is no registry, by the same proxies and authorities; no credentials go along. */
  readonly request: HttpClient['request'];
  /** Tries again as this command was told to. */
  retrying<T>(attempt: (number: number) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Ends connections that are kept open; without it they end by themselves, and keep no process alive. */
  close(): Promise<void>;
}

export interface Surroundings {
  readonly env: Environment;
  readonly place: Pick<Place, 'home' | 'runtimeDir'>;
  /** Runs credential helpers as the person; default a plain child. */
  readonly runOutside?: RunOutside;
  /** Told of mirrors that are passed over, of further tries, and what registries warn of. */
  readonly say?: Say;
  /** Where the machine's own registries.conf is; default `/etc/containers`. */
  readonly systemFolder?: string;
}

/** Registries as this person reaches them. Nothing is read and nothing is sent before the first call. */
export function connect(options: RegistryOptions, surroundings: Surroundings): Registry {
  const { env, place, runOutside = runDirectly, say = () => {} } = surroundings;
  const { authFile, creds, mirrors = [] } = options;
  const credsHosts = options.credsFor?.flatMap(hostOf);
  const credentials = openCredentials({ env, place, runOutside, authFile, creds, credsHosts });
  const certDirs = certificateFolders(env, place.home);
  const sessions = new Sessions({ ...options, env, certDirs, credentials, say });
  const { home } = place;
  const { systemFolder = '/etc/containers' } = surroundings;
  const rules = once(async (): Promise<Rules> => {
    return { conf: await readRegistriesConf({ env, home, systemFolder }), mirrors };
  });
  const pulls = new Mirrored({ opener: (manner) => sessions.opener(manner), rules, say });
  const forPush = async (names: readonly Origin[]): Promise<OpenSession> => {
    const insecure = await insecureHosts(names, rules);
    return (host, signal) =>
      sessions.opener({ insecure: insecure.includes(host), isMirror: false })(host, signal);
  };
  return {
    meaning: async (name) => meaningOf(name, (await rules()).conf),
    resolve: (...args) => pulls.resolve(...args),
    digest: (...args) => pulls.digest(...args),
    manifest: (...args) => pulls.manifest(...args),
    resolveAll: (...args) => pulls.resolveAll(...args),
    fetch: pulls.fetch,
    push: async (image, names, how) => pushImage(image, names, await forPush(names), how),
    pushIndex: async (images, names, how) => pushIndex(images, names, await forPush(names), how),
    checkLogin: async (host, username, password, signal) => {
      const own = { find: async () => ({ type: 'password', username, password }) as const };
      const [insecure] = await insecureHosts([{ host, repository: '' }], rules);
      const open = sessions.openerWith(own, { insecure: insecure !== undefined, isMirror: false });
      await checkLogin(await open(host, signal), signal);
    },
    credentials,
    openFor: forPush,
    request: (url, request) => sessions.request(url, request),
    retrying: (attempt, signal) =>
      retrying(attempt, { retries: options.retries, delayMs: options.retryDelayMs, signal }),
    close: () => sessions.close(),
  };
}

/** The registries of which registries.conf lets all that is named here be insecure. Fails with `denied` where it blocks one. */
async function insecureHosts(names: readonly Origin[], rules: () => Promise<Rules>): Promise<string[]> {
  const { conf } = await rules();
  const secure = new Set(names.filter((name) => !mayBeInsecure(name, conf)).map(({ host }) => host));
  return names.map(({ host }) => host).filter((host) => !secure.has(host));
}

/** The registry of an image that the command line names; an image's id has none. */
function hostOf(name: string): string[] {
  try {
    return [parseReference(name.replace(/^docker:\/\//, '')).host];
  } catch {
    return [];
  }
}

/** Where docker and containers keep certificates by host, the person's own first. */
export function certificateFolders(env: Environment, home: string): string[] {
  const config = env.XDG_CONFIG_HOME || join(home, '.config');
  const folders = [join(config, 'containers/certs.d'), join(home, '.docker/certs.d')];
  return [...folders, '/etc/containers/certs.d', '/etc/docker/certs.d'];
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
