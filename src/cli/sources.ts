import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { suggestion, usageError } from '../core/errors.ts';
import type { SecretSource } from '../core/options.ts';
import { parseFields } from './values.ts';

const secretForm = 'Write --secret id=NAME,src=FILE or --secret id=NAME,env=VARIABLE.';

/**
 * `id=x[,src=FILE|,env=NAME][,type=file|env]`. Without a source it is the environment variable of that name where
 * there is one, else the file of that name.
 */
export function parseSecret(
  text: string,
  near: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): SecretSource {
  const { id, src, env, type } = secretFields(text);
  if (id === '') throw usageError(`--secret '${text}' has no id`, secretForm);
  if (src !== undefined && env !== undefined)
    throw usageError(`--secret '${text}' names both a file and a variable`, secretForm);
  const variable =
    env ??
    (type === 'env' || (src === undefined && type !== 'file' && near.env[id] !== undefined)
      ? (src ?? id)
      : undefined);
  if (variable !== undefined) return secretOfVariable(id, variable, near.env);
  const file = resolve(near.cwd, src ?? id);
  if (!existsSync(file))
    throw usageError(
      `--secret id=${id}: there is no file ${file}${src === undefined ? `, and no variable ${id}` : ''}`,
      secretForm,
    );
  return { id, file };
}

function secretFields(text: string): { id: string; src?: string; env?: string; type?: string } {
  const fields: { id: string; src?: string; env?: string; type?: string } = { id: '' };
  for (const { key, value = '' } of parseFields('--secret', text)) {
    if (key === 'id') fields.id = value;
    else if (key === 'src' || key === 'source') fields.src = value;
    else if (key === 'env') fields.env = value;
    else if (key === 'type' && (value === 'file' || value === 'env')) fields.type = value;
    else throw usageError(`--secret does not know '${key}'`, secretForm);
  }
  return fields;
}

function secretOfVariable(
  id: string,
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): SecretSource {
  if (env[name] === undefined)
    throw usageError(
      `--secret id=${id}: the variable ${name} is not set`,
      `Export ${name}, or name a file with src=FILE.`,
    );
  return { id, env: name };
}

/**
 * `name:ip` or `name=ip`, IPv6 also in brackets, as the line `ip name` of /etc/hosts. `host-gateway` stays: what it is
 * depends on the network.
 */
export function parseHost(text: string): string {
  const match = /^([^:=\s]+)[:=](?:\[?([0-9a-fA-F.:]+)\]?|(host-gateway))$/.exec(text);
  if (match === null) throw usageError(`--add-host '${text}' is not a host`, 'Write --add-host NAME:IP.');
  return `${match[2] ?? match[3]} ${match[1]}`;
}

const limits = [
  ...[
    'core',
    'cpu',
    'data',
    'fsize',
    'locks',
    'memlock',
    'msgqueue',
    'nice',
    'nofile',
    'nproc',
    'rss',
    'rtprio',
  ],
  ...['rttime', 'sigpending', 'stack'],
];

/** `name=soft[:hard]`; -1 or `unlimited` for no limit. */
export function parseUlimit(text: string): string {
  const form = 'Write --ulimit nofile=1024:2048.';
  const match = /^([a-z]+)=(-1|\d+|unlimited)(?::(-1|\d+|unlimited))?$/.exec(text);
  if (match === null) throw usageError(`--ulimit '${text}' is not a limit`, form);
  const [, name = '', soft = '', hard] = match;
  if (!limits.includes(name)) {
    throw usageError(`--ulimit does not know '${name}'`, suggestion(name, limits) ?? form);
  }
  const number = (value: string): string => (value === 'unlimited' ? '-1' : value);
  if (hard !== undefined && exceeds(number(soft), number(hard)))
    throw usageError(`--ulimit '${text}': the soft limit is above the hard one`, form);
  return `${name}=${number(soft)}${hard === undefined ? '' : `:${number(hard)}`}`;
}

function exceeds(soft: string, hard: string): boolean {
  if (hard === '-1') return false;
  return soft === '-1' || Number(soft) > Number(hard);
}

/** The context: a folder, `-`, or an address (http, git) as it stands. Kaniko's `dir://` is understood. */
export function parseContext(text: string, cwd: string): string {
  if (text === '-' || text === 'tar://stdin') return '-';
  if (text.startsWith('dir://')) return resolve(cwd, text.slice(6));
  if (isRemote(text) || (text.startsWith('github.com/') && !existsSync(resolve(cwd, text)))) return text;
  if (/^[a-z][a-z0-9+.-]*:\/\//.test(text))
    throw usageError(
      `the context '${text}' is of no kind that can be fetched`,
      'Name a folder, an address over https or git, or send a tar through `-`.',
    );
  return resolve(cwd, text);
}

/**
 * `name=where` of `--build-context`: a folder becomes absolute; `docker-image://`, `oci-layout://`, git and http(s)
 * stay as they are written.
 */
export function parseContexts(texts: readonly string[], cwd: string): Record<string, string> {
  const entries = texts.map((text) => {
    const equals = text.indexOf('=');
    const [name, where] = [text.slice(0, Math.max(equals, 0)), text.slice(equals + 1)];
    if (name === '' || where === '')
      throw usageError(
        `--build-context '${text}' has no name or no place`,
        'Write --build-context NAME=FOLDER.',
      );
    return [name, isRemote(where) || /^[a-z-]+:\/\//.test(where) ? where : resolve(cwd, where)] as const;
  });
  return Object.fromEntries(entries);
}

/** Whether a context is fetched: an http(s) or git address. */
function isRemote(text: string): boolean {
  return /^(https?|git|ssh):\/\//i.test(text) || /^[\w.-]+@[^/\s:]+:/.test(text);
}

/** What `--allow` knows. */
const entitlements = ['network.host', 'security.insecure'];

/** A name of `--allow`. */
export function parseEntitlement(text: string): string {
  if (entitlements.includes(text)) return text;
  const hint = suggestion(text, entitlements) ?? `It knows ${entitlements.join(' and ')}.`;
  throw usageError(`--allow does not know '${text}'`, hint);
}

/**
 * A Containerfile: an address as it stands, a path of a context that is fetched, or a file beside us, or in the context
 * where there is none here.
 */
export function parseFile(text: string, near: { readonly cwd: string; readonly context: string }): string {
  if (text === '-' || /^https?:\/\//i.test(text)) return text;
  if (isFetched(near.context)) return text;
  const here = resolve(near.cwd, text);
  if (near.context === '-' || isAbsolute(text) || existsSync(here)) return here;
  const there = resolve(near.context, text);
  return existsSync(there) ? there : here;
}

/** Whether `parseContext` left the context as an address. */
export function isFetched(context: string): boolean {
  return context !== '-' && !isAbsolute(context);
}
