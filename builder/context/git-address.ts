import { booleanOf } from '../../src/core/boolean.ts';
import { BuildError, suggestion } from '../../src/core/errors.ts';
import { cleanPath } from '../path-resolve.ts';
import { decoded } from './percent.ts';

/** A git repository as a build names it, taken apart (containerfile §2, §6). */
export interface GitAddress {
  /** What git is given: without fragment and query, which are for us. */
  readonly url: string;
  /** Branch, tag, full ref or commit; absent for the repository's own default. */
  readonly ref?: string;
  /** First digits of the commit that the ref must be, in lower case. */
  readonly checksum?: string;
  /** Folder of the repository that is taken, clean; '' for all of it. */
  readonly subdir: string;
  /** Undefined where the address says nothing. */
  readonly keepGitDir?: boolean;
  readonly submodules: boolean;
  /** What times the files bear: the commit's, or that of the checkout. */
  readonly mtime: 'checkout' | 'commit';
  /** The commit of `checksum` is taken, whatever the ref names by now. */
  readonly fetchByCommit: boolean;
}

const scpLike = /^[\w.-]+@(?:[\w.-]+|\[[0-9a-fA-F:]+\]):(?!\/\/)/;
const commit = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * The git repository that a text names, or undefined where it names something else: `https://….git`, `ssh://`, `git://`,
 * `user@host:path`, and with `short` also `github.com/…`; each with `?key=value` and `#ref:subdir`. Fails with
 * `context` for an address that git must not be given and for a key that is not known.
 */
export function parseGitAddress(text: string, { short = false } = {}): GitAddress | undefined {
  const whole = short && text.startsWith('github.com/') ? `https://${text}` : text;
  const { base, query, fragment } = parts(whole);
  if (!isRepository(base, whole !== text)) return undefined;
  checkUrl(base);
  const hash = fragmentOf(fragment);
  const asked = queryOf(query, base);
  const ref = agreed('ref', [hash.ref, asked.get('ref'), prefixed('refs/tags/', asked.get('tag'))], asked);
  const checksum = (asked.get('checksum') ?? asked.get('commit') ?? hash.checksum)?.toLowerCase();
  const named = ref ?? (checksum !== undefined && commit.test(checksum) ? checksum : undefined);
  const keep = flagOf(asked, 'keep-git-dir');
  return {
    url: base,
    ...(named !== undefined && { ref: checkRef(named) }),
    ...(checksum !== undefined && { checksum: checkChecksum(checksum) }),
    subdir: cleanPath(agreed('subdir', [hash.subdir, asked.get('subdir')]) ?? ''),
    ...(keep !== undefined && { keepGitDir: keep }),
    submodules: flagOf(asked, 'submodules') ?? true,
    mtime: mtimeOf(asked.get('mtime')),
    fetchByCommit: flagOf(asked, 'fetch-by-commit') ?? false,
  };
}

/**
 * The same address with the commit that ADD's `--checksum` names: whole, it also says what is fetched. Fails with
 * `context` where the address has another checksum.
 */
export function withChecksum(address: GitAddress, text: string): GitAddress {
  const given = checkChecksum(text.toLowerCase());
  const { checksum: own = '' } = address;
  const checksum = given.length < own.length ? own : given;
  if (!checksum.startsWith(given) || !checksum.startsWith(own))
    throw wrong(`--checksum names the commit ${given}, and the address ${own}`, 'Keep one of both.');
  const ref = address.ref ?? (commit.test(checksum) ? checksum : undefined);
  return { ...address, checksum, ...(ref !== undefined && { ref }) };
}

/** True for a whole commit id. */
export function isCommit(text: string): boolean {
  return commit.test(text);
}

/** Whether a submodule's address may be followed, by the same rules. */
export function checkUrl(url: string): void {
  const host = /^[a-z]+:\/\/(?:[^/@]*@)?([^/]*)/i.exec(url)?.[1] ?? url;
  const isWeb = /^https?:\/\//i.test(url);
  const isOdd = url.startsWith('-') || host.startsWith('-') || /[\s\u0000-\u001f\u007f]/.test(url);
  if (!isOdd && (!isWeb || URL.canParse(url)) && (/^(?:https?|ssh|git):\/\//i.test(url) || scpLike.test(url)))
    return;
  throw new BuildError('context', `"${shown(url)}" is not an address that git is given`, {
    about: url,
    hint: 'Repositories are reached over https, http, ssh and git.',
  });
}

/** An address without user, password and token, for messages. */
export function shown(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/]*@/i, '$1').replace(/[\u0000-\u001f\u007f]/g, '?');
}

function parts(text: string): { base: string; query: string; fragment: string } {
  const hash = text.indexOf('#');
  const [before, fragment] = hash < 0 ? [text, ''] : [text.slice(0, hash), text.slice(hash + 1)];
  const mark = before.indexOf('?');
  return mark < 0
    ? { base: before, query: '', fragment }
    : { base: before.slice(0, mark), query: before.slice(mark + 1), fragment };
}

/** Over http only what ends in `.git` is a repository; every other address is a file. */
function isRepository(base: string, isShort: boolean): boolean {
  if (isShort || /^(?:ssh|git):\/\//i.test(base) || scpLike.test(base)) return true;
  return /^https?:\/\/.*\.git$/i.test(base);
}

/** `ref:subdir`, or `##ref=…,commit=…,subdir=…`. */
function fragmentOf(fragment: string): { ref?: string; subdir?: string; checksum?: string } {
  if (!fragment.startsWith('#')) {
    const colon = fragment.indexOf(':');
    const [ref, subdir] = colon < 0 ? [fragment, ''] : [fragment.slice(0, colon), fragment.slice(colon + 1)];
    return { ...(ref !== '' && { ref: decoded(ref) }), ...(subdir !== '' && { subdir: decoded(subdir) }) };
  }
  const fields = new Map<string, string>();
  for (const field of fragment.slice(1).split(',')) {
    const equals = field.indexOf('=');
    const key = field.slice(0, Math.max(equals, 0)).toLowerCase();
    if (!['ref', 'commit', 'subdir'].includes(key))
      throw unknownKey(key || field, ['ref', 'commit', 'subdir']);
    fields.set(key, field.slice(equals + 1));
  }
  const [ref, subdir, checksum] = ['ref', 'subdir', 'commit'].map((key) => fields.get(key));
  return {
    ...(ref !== undefined && { ref }),
    ...(subdir !== undefined && { subdir }),
    ...(checksum !== undefined && { checksum }),
  };
}

const keys = ['ref', 'tag', 'branch', 'subdir', 'checksum', 'commit', 'keep-git-dir', 'submodules', 'mtime'];
const allKeys = [...keys, 'fetch-by-commit'];
const flags = ['keep-git-dir', 'submodules', 'fetch-by-commit'];

function queryOf(query: string, base: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(query)) {
    if (!allKeys.includes(key)) throw unknownKey(key, allKeys);
    if (found.has(key)) throw wrong(`the key "${key}" of ${shown(base)} is given twice`, 'Give it once.');
    if (value === '' && !flags.includes(key)) throw wrong(`the key "${key}" of ${shown(base)} has no value`);
    found.set(key, value);
  }
  if (found.has('tag') && found.has('branch'))
    throw wrong(`${shown(base)} asks for a tag and for a branch`, 'Keep one of both.');
  return found;
}

/** The one value of those that are there; two that differ cannot both be meant. */
function agreed(
  what: string,
  values: readonly (string | undefined)[],
  asked: ReadonlyMap<string, string> = new Map(),
): string | undefined {
  const given = [...values, what === 'ref' ? prefixed('refs/heads/', asked.get('branch')) : undefined];
  const different = [...new Set(given.filter((value) => value !== undefined && value !== ''))];
  if (different.length > 1)
    throw wrong(`the address names two values for its ${what}: "${different.join('" and "')}"`);
  return different[0];
}

function prefixed(prefix: string, name: string | undefined): string | undefined {
  return name === undefined || name.startsWith(prefix) ? name : `${prefix}${name}`;
}

function flagOf(asked: ReadonlyMap<string, string>, key: string): boolean | undefined {
  const value = asked.get(key);
  if (value === undefined) return undefined;
  const known = booleanOf(value || 'true');
  if (known !== undefined) return known;
  throw wrong(`the value "${value}" of "${key}" is neither true nor false`);
}

function mtimeOf(value: string | undefined): GitAddress['mtime'] {
  if (value === undefined || value === 'commit') return 'commit';
  if (value === 'checkout') return 'checkout';
  throw wrong(`the value "${value}" of "mtime" is not known`, 'Write mtime=commit or mtime=checkout.');
}

/** What git-check-ref-format allows, so that no ref is taken for an option or a pattern. */
function checkRef(ref: string): string {
  const isOdd = /^[-/.]|[/.]$|\.\.|\/\/|@\{|[\u0000- \u007f~^:?*[\\]/.test(ref);
  if (!isOdd) return ref;
  throw wrong(`"${ref}" cannot be the name of a branch, a tag or a commit`);
}

function checkChecksum(checksum: string): string {
  if (/^[0-9a-f]{7,64}$/.test(checksum)) return checksum;
  throw wrong(
    `"${checksum}" is not the checksum of a commit`,
    'Write the first 7 or more hexadecimal digits of it, best all 40.',
  );
}

function unknownKey(key: string, known: readonly string[]): BuildError {
  const hint = suggestion(key, known) ?? `The keys are ${known.join(', ')}.`;
  return wrong(`the address of a repository does not know the key "${key}"`, hint);
}

function wrong(message: string, hint?: string): BuildError {
  return new BuildError('context', message, hint === undefined ? {} : { hint });
}
