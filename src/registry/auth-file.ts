import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BuildError, errnoOf } from '../core/errors.ts';
import type { Secret } from './secret.ts';

/** A configuration file of docker or containers, as far as it is about secrets. */
export interface AuthFile {
  /** By `host` or `host/path`: keys are taken without scheme, `/v1/` and slash at the end. */
  readonly auths: ReadonlyMap<string, Secret>;
  /** The keys of `auths` as written, also of entries without a secret. */
  readonly keys: readonly string[];
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore: string | undefined;
}

/** Reads a file; undefined when there is none, unless it must exist. */
export function readAuthFile(path: string, options: { mustExist?: boolean }): AuthFile | undefined {
  const text = readText(path, options.mustExist ?? false);
  return text === undefined || text.trim() === ''
    ? options.mustExist
      ? empty
      : undefined
    : parseAuthFile(text, path);
}

/** Understands config.json, auth.json and the older .dockercfg, in which the entries stand at the top. */
export function parseAuthFile(text: string, name: string): AuthFile {
  const file = parseObject(text, name);
  const isOld =
    !('auths' in file || 'credsStore' in file || 'credHelpers' in file) && name.endsWith('.dockercfg');
  const entries = Object.entries(objectOf(isOld ? file : file.auths));
  const auths = new Map<string, Secret>();
  for (const [key, entry] of entries) {
    const secret = secretOf(objectOf(entry));
    if (secret !== undefined) auths.set(normalKey(key), secret);
  }
  const helpers = Object.entries(objectOf(file.credHelpers)).filter(
    ([, helper]) => typeof helper === 'string',
  );
  return {
    auths,
    keys: entries.map(([key]) => key),
    credHelpers: new Map(helpers as [string, string][]),
    credsStore: typeof file.credsStore === 'string' && file.credsStore !== '' ? file.credsStore : undefined,
  };
}

/** `https://host/v1/` and `host` name the same place. */
export function normalKey(key: string): string {
  return key
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '')
    .replace(/\/v[12]$/, '');
}

/**
 * Changes the `auths` of a file and keeps everything else in it. Written beside the file with mode 0600 and renamed,
 * through a symbolic link where the file is one.
 */
export function writeAuthFile(path: string, change: (auths: Record<string, unknown>) => void): void {
  const text = readText(path, false);
  const file = text === undefined || text.trim() === '' ? {} : parseObject(text, path);
  const auths = { ...objectOf(file.auths) };
  change(auths);
  const target = text === undefined ? path : realpathSync(path);
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, `${JSON.stringify({ ...file, auths }, null, '\t')}\n`, {
      mode: 0o600,
      flag: 'wx',
    });
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new BuildError(
      'registry',
      `the login could not be kept in ${path} (${errnoOf(error) ?? 'unknown'})`,
      {
        hint: 'Make the folder writable, or name another file with --authfile or REGISTRY_AUTH_FILE.',
      },
    );
  }
}

const empty: AuthFile = { auths: new Map(), keys: [], credHelpers: new Map(), credsStore: undefined };

function readText(path: string, mustExist: boolean): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = errnoOf(error) ?? 'unknown';
    if (!mustExist && ['ENOENT', 'ENOTDIR', 'EACCES'].includes(code)) return undefined;
    throw new BuildError('registry', `the credentials file ${path} cannot be read (${code})`, {
      hint: 'Correct --authfile, or make the file readable.',
    });
  }
}

function parseObject(text: string, name: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // The parser's own words would quote the secret.
  }
  throw new BuildError('registry', `${name} does not hold a JSON object`, {
    hint: 'It looks like {"auths":{"registry.example.com":{"auth":"…"}}}; `tsbuild login` writes one.',
  });
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function secretOf(entry: Record<string, unknown>): Secret | undefined {
  const text = (field: string): string => (typeof entry[field] === 'string' ? entry[field] : '');
  const [username, password] =
    text('auth') === '' ? [text('username'), text('password')] : decode(text('auth'));
  if (text('registrytoken') !== '') return { type: 'access', token: text('registrytoken') };
  if (text('identitytoken') !== '') return { type: 'identity', username, token: text('identitytoken') };
  if (username === '') return undefined;
  if (username === '<token>') return { type: 'identity', username, token: password };
  return { type: 'password', username, password };
}

/** base64 of `user:password`, parted at the first colon; docker once padded the password with NUL bytes. */
function decode(auth: string): [string, string] {
  const pair = Buffer.from(auth, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? ['', ''] : [pair.slice(0, colon), pair.slice(colon + 1).replace(/\0+$/, '')];
}
