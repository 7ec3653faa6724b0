import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BuildError, errnoOf } from '../core/errors.ts';
import type { Secret } from './secret.ts';

/** A configuration file of docker or containers, as far as it is about secrets. */
export interface AuthFile {
  /** Its path, or the variable that holds it. */
  readonly name: string;
  /** By `host` or `host/path`: keys are taken without scheme, `/v1/` and slash at the end. */
  readonly auths: ReadonlyMap<string, Entry>;
  /** The keys of `auths` as written, also of entries without a secret. */
  readonly keys: readonly string[];
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore: string | undefined;
}

type Entry = Readonly<Record<string, unknown>>;

/** Reads a file; undefined when there is none, unless it must exist. Fails with `registry`, and the place in the file. */
export function readAuthFile(path: string, options: { mustExist?: boolean }): AuthFile | undefined {
  const text = readText(path, options.mustExist ?? false);
  return text === undefined ? undefined : parseAuthFile(text.trim() === '' ? '{}' : text, path);
}

/** Understands config.json, auth.json and the older .dockercfg, in which the entries stand at the top. */
export function parseAuthFile(text: string, name: string): AuthFile {
  const file = parseObject(text, name);
  const isOld =
    !('auths' in file || 'credsStore' in file || 'credHelpers' in file) && name.endsWith('.dockercfg');
  const entries = Object.entries(objectOf(isOld ? file : file.auths));
  const helpers = Object.entries(objectOf(file.credHelpers)).filter(
    ([, helper]) => typeof helper === 'string',
  );
  return {
    name,
    auths: new Map(entries.map(([key, entry]) => [normalKey(key), objectOf(entry)])),
    keys: entries.map(([key]) => key),
    credHelpers: new Map(helpers as [string, string][]),
    credsStore: typeof file.credsStore === 'string' && file.credsStore !== '' ? file.credsStore : undefined,
  };
}

/** What a file has under a key of `auths`; undefined where there is nothing. Only an entry that is asked for must be whole. */
export function secretIn(file: AuthFile, key: string): Secret | undefined {
  const entry = file.auths.get(key);
  if (entry === undefined) return undefined;
  const text = (field: string): string => (typeof entry[field] === 'string' ? entry[field] : '');
  const [username, password] =
    text('auth') === '' ? [text('username'), text('password')] : decode(text('auth'), { file, key });
  if (text('registrytoken') !== '') return { type: 'access', token: text('registrytoken') };
  if (text('identitytoken') !== '') return { type: 'identity', username, token: text('identitytoken') };
  if (username === '') return undefined;
  if (username === '<token>') return { type: 'identity', username, token: password };
  return { type: 'password', username, password };
}

/** `https://host/v1/` and `host` name the same place; `host/team/v1` is a repository's path. */
export function normalKey(key: string): string {
  return key
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '')
    .replace(/^([^/]+)\/v[12]$/, '$1');
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

function readText(path: string, mustExist: boolean): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = errnoOf(error) ?? 'unknown';
    if (!mustExist && (['ENOENT', 'ENOTDIR'].includes(code) || (code === 'EACCES' && !isThere(path))))
      return undefined;
    throw new BuildError('registry', `the credentials file ${path} cannot be read (${code})`, {
      hint: 'Make it a file that you may read, or name another with --authfile.',
    });
  }
}

/** False for what lies in a folder that may not be searched, such as another's home: it is not meant for us. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path) !== undefined;
  } catch {
    return false;
  }
}

function parseObject(text: string, name: string): Record<string, unknown> {
  let where = '';
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (error) {
    // The parser's own words quote the text, which may be a secret.
    where = `: ${placeOf(error as Error, text)} is no JSON`;
  }
  throw new BuildError('registry', `${name} does not hold a JSON object${where}`, {
    hint: 'It looks like {"auths":{"registry.example.com":{"auth":"…"}}}; `tsbuild login` writes one.',
  });
}

/** Where JSON.parse stopped: `line 2, column 7`. It does not say where an unexpected token is, but which shortest text has one. */
function placeOf({ message }: Error, text: string): string {
  const said = /at position (\d+)/.exec(message)?.[1];
  const at = said === undefined ? unexpectedAt(text) : Number(said);
  const lines = text.slice(0, at).split('\n');
  return `line ${lines.length}, column ${lines.at(-1)!.length + 1}`;
}

function unexpectedAt(text: string): number {
  let [whole, broken] = [0, text.length];
  while (broken - whole > 1) {
    const middle = (whole + broken) >> 1;
    if (hasUnexpected(text.slice(0, middle))) broken = middle;
    else whole = middle;
  }
  return whole;
}

function hasUnexpected(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return (error as Error).message.startsWith('Unexpected token');
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** base64 of `user:password`, parted at the first colon; docker once padded the password with NUL bytes. */
function decode(
  auth: string,
  { file, key }: { readonly file: AuthFile; readonly key: string },
): readonly [string, string] {
  const pair = Buffer.from(auth, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon >= 0) return [pair.slice(0, colon), pair.slice(colon + 1).replace(/\0+$/, '')];
  throw new BuildError('registry', `in ${file.name}, "auth" of ${key} is not the base64 of USER:PASSWORD`, {
    hint: `Write it anew with \`tsbuild login ${key.split('/')[0]}\`.`,
  });
}
