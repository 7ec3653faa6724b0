import { realpathSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { Selection, Settings } from '../commands/bake.ts';
import { BuildError, usageError } from '../core/errors.ts';
import { isFetched, parseContext } from './sources.ts';

/** What `--allow` lets the targets of a file have. */
export interface Allowed {
  /** Names that are passed on to the builds. */
  readonly entitlements: readonly string[];
  readonly read: readonly string[];
  readonly write: readonly string[];
}

const form = 'Write --allow network.host, security.insecure, ssh, fs.read=PATH, fs.write=PATH or fs=PATH.';

/** Reads every `--allow`; `*` as a path is all. Fails with `usage`. */
export function parseAllowed(texts: readonly string[]): Allowed {
  const all = texts.map((text) => {
    const [, word = text, path] = /^(fs(?:\.read|\.write)?)=(.+)$/s.exec(text) ?? [];
    if (path === undefined && !['network.host', 'security.insecure', 'ssh'].includes(word))
      throw usageError(`--allow does not know '${text}'`, form);
    return { word, path };
  });
  const paths = (way: string): string[] =>
    all.flatMap(({ word, path }) => (path !== undefined && (word === 'fs' || word === way) ? [path] : []));
  const words = all.filter(({ path }) => path === undefined).map(({ word }) => word);
  return {
    entitlements: words.filter((word) => word !== 'ssh'),
    read: paths('fs.read'),
    write: paths('fs.write'),
  };
}

interface Near {
  readonly cwd: string;
  readonly allowed: Allowed;
  /** Every `--set`: what the command line names itself is allowed. */
  readonly set: readonly string[];
  /** The definition was fetched: not even the current folder is its own. */
  readonly isForeign: boolean;
}

/**
 * Fails with `denied` where a target reads or writes outside of the folder that the command runs in, or anywhere where its
 * definition was fetched, unless the command line allows that: a bake file may be a stranger's.
 */
export function checkPaths({ targets }: Selection, near: Near): void {
  for (const [name, settings] of targets) {
    for (const path of readPaths(settings, near.cwd)) check(name, path, { ...near, way: 'read' });
    for (const path of writtenPaths(settings)) check(name, path, { ...near, way: 'write' });
  }
}

function check(
  name: string,
  path: string,
  { cwd, allowed, set, isForeign, way }: Near & { readonly way: 'read' | 'write' },
): void {
  const real = realPath(resolve(cwd, path));
  const granted = allowed[way].map((root) => (root === '*' ? '/' : root));
  const roots = isForeign ? granted : [cwd, ...granted];
  if (roots.some((root) => isWithin(realPath(resolve(cwd, root)), real))) return;
  if (set.some((text) => text.includes(path))) return;
  const where = isForeign ? ' on this machine' : ', outside of the current folder';
  throw new BuildError('denied', `target ${name}: it would ${way} ${path}${where}`, {
    hint: `Add --allow fs.${way}=${path} to the command if you trust its files.`,
  });
}

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (!way.startsWith('../') && way !== '..');
}

/** Where a path leads; of what is not there, its folder counts. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path === dirname(path) ? path : resolve(realPath(dirname(path)), relative(dirname(path), path));
  }
}

function readPaths(settings: Settings, cwd: string): string[] {
  const contexts = [settings.context ?? '.', ...Object.values(settings.contexts ?? {})];
  const folders = contexts.filter((where) => where !== null && isLocal(where, cwd)) as string[];
  const secrets = (settings.secret ?? []).map(({ src }) => src);
  const keys = (settings.ssh ?? []).map(({ paths }) => paths);
  const caches = (settings['cache-from'] ?? []).map(({ src }) => src);
  return [...folders, ...textsIn([...secrets, ...keys, ...caches])].map((path) =>
    path.replace(/^cwd:\/\//, './'),
  );
}

function writtenPaths(settings: Settings): string[] {
  const places = [...(settings.output ?? []), ...(settings['cache-to'] ?? [])].map(({ dest }) => dest);
  return textsIn(places).filter((path) => path !== '-');
}

function textsIn(values: readonly (string | readonly string[] | undefined)[]): string[] {
  return values.flatMap((value) =>
    value === undefined ? [] : typeof value === 'string' ? [value] : [...value],
  );
}

function isLocal(where: string, cwd: string): boolean {
  if (where.startsWith('cwd://')) return true;
  if (/^(?:target|docker-image|oci-layout):/.test(where)) return false;
  return !isFetched(parseContext(where, cwd));
}
