import { join } from 'node:path';
import { BuildError } from '../core/errors.ts';
import type { Place } from '../core/place.ts';
import {
  type AuthFile,
  normalKey,
  parseAuthFile,
  readAuthFile,
  secretIn,
  writeAuthFile,
} from './auth-file.ts';
import { ciLogin } from './ci-login.ts';
import { askHelper, eraseWithHelper, type HelperOptions, storeWithHelper } from './credential-helper.ts';
import type { Secret } from './secret.ts';

export interface CredentialsOptions extends HelperOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly place: Pick<Place, 'home' | 'runtimeDir'>;
  /** The file to use alone (`--authfile`). */
  readonly authFile?: string | undefined;
  /** `user:password` (`--creds`). */
  readonly creds?: string | undefined;
  /** The registries that may be shown `creds`; default all. */
  readonly credsHosts?: readonly string[] | undefined;
}

export interface Credentials {
  /**
   * The secret for a repository, or undefined to go on anonymously: `--creds`; `--authfile` alone; DOCKER_AUTH_CONFIG;
   * REGISTRY_AUTH_FILE; docker's config.json; containers' auth.json; ~/.dockercfg; the variables of a CI job. In each
   * file the most specific path wins, and credHelpers go before credsStore before auths (spec: registry.md §4.1).
   */
  find(host: string, repository?: string): Promise<Secret | undefined>;
  /** Keeps a login, in the helper that the file names or in the file itself (mode 0600); says which. */
  writeLogin(host: string, username: string, password: string): Promise<string>;
  /** Forgets a login; false when there was none. */
  removeLogin(host: string): Promise<boolean>;
}

export function openCredentials(options: CredentialsOptions): Credentials {
  return {
    async find(host, repository) {
      const { creds, credsHosts, authFile, env } = options;
      if (creds !== undefined && (credsHosts?.includes(host) ?? true)) return parseCreds(creds);
      for (const file of sources(options)) {
        const secret = await searchFile(file, { host, repository }, options);
        if (secret !== undefined) return secret;
      }
      return authFile === undefined ? ciLogin(host, env) : undefined;
    },
    writeLogin: (host, username, password) => writeLogin(host, { username, password }, options),
    removeLogin: (host) => removeLogin(host, options),
  };
}

/** The names under which a host's secrets may be filed, the usual one first. Docker Hub has several. */
function aliasesOf(host: string): readonly string[] {
  return isDockerHub(host) ? [dockerHubKey, 'docker.io', 'index.docker.io', 'registry-1.docker.io'] : [host];
}

export function isDockerHub(host: string): boolean {
  return ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'].includes(host);
}

const dockerHubKey = 'https://index.docker.io/v1/';

function* sources(options: CredentialsOptions): Generator<AuthFile> {
  if (options.authFile !== undefined) {
    yield readAuthFile(options.authFile, { mustExist: true })!;
    return;
  }
  const inline = options.env.DOCKER_AUTH_CONFIG;
  if (inline) yield parseAuthFile(inline, 'DOCKER_AUTH_CONFIG');
  for (const path of standardFiles(options)) {
    const file = readAuthFile(path, {});
    if (file !== undefined) yield file;
  }
}

function standardFiles({ env, place }: CredentialsOptions): string[] {
  const runtime = place.runtimeDir ?? env.XDG_RUNTIME_DIR;
  const config = env.XDG_CONFIG_HOME || join(place.home, '.config');
  return [
    ...(env.REGISTRY_AUTH_FILE ? [env.REGISTRY_AUTH_FILE] : []),
    dockerConfig({ env, place }),
    ...(runtime ? [join(runtime, 'containers/auth.json')] : []),
    join(config, 'containers/auth.json'),
    join(place.home, '.dockercfg'),
    '/kaniko/.docker/config.json',
  ];
}

function dockerConfig({ env, place }: Pick<CredentialsOptions, 'env' | 'place'>): string {
  return join(env.DOCKER_CONFIG || join(place.home, '.docker'), 'config.json');
}

async function searchFile(
  file: AuthFile,
  { host, repository }: { readonly host: string; readonly repository: string | undefined },
  options: HelperOptions,
): Promise<Secret | undefined> {
  const helper = helperFor(file, host);
  if (helper !== undefined) {
    const secret = await askHelper(helper.name, helper.server, options);
    if (secret !== undefined) return secret;
  }
  for (const key of keysFor(host, repository)) {
    const secret = secretIn(file, key);
    if (secret !== undefined) return secret;
  }
  return undefined;
}

function helperFor(file: AuthFile, host: string): { name: string; server: string } | undefined {
  const aliases = aliasesOf(host);
  const own = aliases.find((alias) => file.credHelpers.has(alias));
  const name = own === undefined ? file.credsStore : file.credHelpers.get(own);
  return name === undefined ? undefined : { name, server: aliases[0]! };
}

/** `host/a/b`, `host/a`, `host`: the most specific first. */
function keysFor(host: string, repository: string | undefined): string[] {
  const parts = repository === undefined ? [] : repository.split('/');
  const names = [...new Set(aliasesOf(host).map(normalKey))];
  const paths = parts.map((_, i) => `/${parts.slice(0, parts.length - i).join('/')}`);
  return [...paths, ''].flatMap((path) => names.map((name) => name + path));
}

function parseCreds(creds: string): Secret {
  const colon = creds.indexOf(':');
  if (colon > 0)
    return { type: 'password', username: creds.slice(0, colon), password: creds.slice(colon + 1) };
  throw new BuildError('usage', '--creds is not of the form USER:PASSWORD', {
    hint: 'Write it as --creds USER:PASSWORD, or keep the secret out of the command with `tsbuild login`.',
  });
}

/** The one file that `login` writes. */
function loginFile(options: CredentialsOptions): string {
  return options.authFile ?? (options.env.REGISTRY_AUTH_FILE || dockerConfig(options));
}

async function writeLogin(
  host: string,
  login: { username: string; password: string },
  options: CredentialsOptions,
): Promise<string> {
  const path = loginFile(options);
  const file = readAuthFile(path, {});
  const helper = file && helperFor(file, host);
  const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  if (helper !== undefined) await storeWithHelper(helper.name, { server: helper.server, ...login }, options);
  writeAuthFile(path, (auths) => {
    for (const key of file === undefined ? [] : keysOf(file, host)) delete auths[key];
    auths[aliasesOf(host)[0]!] = helper === undefined ? { auth } : {};
  });
  return helper === undefined ? path : `docker-credential-${helper.name}`;
}

async function removeLogin(host: string, options: CredentialsOptions): Promise<boolean> {
  const path = loginFile(options);
  const file = readAuthFile(path, {});
  if (file === undefined) return false;
  const helper = helperFor(file, host);
  const erased = helper !== undefined && (await eraseWithHelper(helper.name, helper.server, options));
  const listed = keysOf(file, host);
  if (listed.length > 0) {
    writeAuthFile(path, (auths) => {
      for (const key of listed) delete auths[key];
    });
  }
  return erased || listed.length > 0;
}

/** The keys of a file, as written there, that name the host as a whole. */
function keysOf(file: AuthFile, host: string): string[] {
  const names = aliasesOf(host).map(normalKey);
  return file.keys.filter((key) => names.includes(normalKey(key)));
}
