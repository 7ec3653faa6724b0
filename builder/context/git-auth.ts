import type { Emit } from '../../src/core/events.ts';
import type { RetryOptions } from '../../src/http/retry.ts';
import type { GitConfig, GitRunner } from './git-run.ts';
import { decoded } from './percent.ts';

/** Bytes of a secret, or undefined where none was given under this id. */
export type Secret = (id: string) => Promise<Buffer | undefined>;

/** What fetching a repository needs. */
export interface GitTools extends GitRunner {
  readonly secret: Secret;
  readonly emit: Emit;
  readonly retry: Omit<RetryOptions, 'signal'>;
}

/** An address as git is given it, and what it must know to be let in. */
export interface Authorized {
  readonly url: string;
  readonly config: GitConfig;
}

/**
 * The login for a repository over http: the secrets `GIT_AUTH_HEADER` and `GIT_AUTH_TOKEN`, first those with `.host`
 * behind the name, or user and password of the address itself. They go to the server of the address alone: git must
 * not follow it elsewhere then. With `own` false (a submodule on another server) only secrets that name its host count.
 */
export async function authorize(url: string, secret: Secret, own = true): Promise<Authorized> {
  if (!/^https?:\/\//i.test(url)) return { url, config: [] };
  const parsed = new URL(url);
  const { origin, host, hostname, username, password } = parsed;
  const suffixes = [...new Set([`.${host}`, `.${hostname}`]), ...(own ? [''] : [])];
  const header = (await fromSecrets(suffixes, secret)) ?? basic(username, password);
  parsed.username = '';
  parsed.password = '';
  if (header === undefined) return { url, config: [] };
  const config: GitConfig = [
    [`http.${origin}/.extraHeader`, `Authorization: ${header}`],
    [`http.${origin}/.followRedirects`, 'false'],
  ];
  return { url: parsed.href, config };
}

async function fromSecrets(suffixes: readonly string[], secret: Secret): Promise<string | undefined> {
  for (const suffix of suffixes) {
    const header = textOf(await secret(`GIT_AUTH_HEADER${suffix}`));
    if (header !== undefined) return header;
    const token = textOf(await secret(`GIT_AUTH_TOKEN${suffix}`));
    if (token !== undefined) return basic('x-access-token', token);
  }
  return undefined;
}

function textOf(bytes: Buffer | undefined): string | undefined {
  const text = bytes?.toString('utf8').trim();
  return text === '' ? undefined : text;
}

function basic(user: string, password: string): string | undefined {
  if (user === '' && password === '') return undefined;
  const pair = `${decoded(user)}:${decoded(password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
