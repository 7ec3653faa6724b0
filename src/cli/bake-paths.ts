import { readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { BuildError, errnoOf, usageError } from '../core/errors.ts';
import type { WrittenOptions } from './build-options.ts';
import { isFetched } from './sources.ts';

/** What `--allow` lets the targets of a file have. */
export interface Allowed {
  /** Names that are passed on to the builds. */
  readonly entitlements: readonly string[];
  /** Targets may use the person's own ssh agent. */
  readonly ssh: boolean;
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
    ssh: words.includes('ssh'),
    read: paths('fs.read'),
    write: paths('fs.write'),
  };
}

interface Near {
  readonly cwd: string;
  /** The socket of the person's own ssh agent. */
  readonly agent: string | undefined;
  readonly allowed: Allowed;
  /** Every `--set`: what the command line names itself is allowed. */
  readonly set: readonly string[];
  /** The definition was fetched: not even the current folder is its own. */
  readonly isForeign: boolean;
}

/**
 * Fails with `denied` where a target reads or writes outside of the folder that the command runs in, or anywhere where its
 * definition was fetched, or uses an ssh agent, unless the command line allows that: a bake file may be a stranger's. What
 * is judged are the options that the build gets, for there are several ways to write the same path.
 */
export function checkPaths(name: string, options: WrittenOptions, near: Near): void {
  const fields = near.set.flatMap((text) => text.split(/[=,]/).slice(1));
  const said = fields.filter((field) => field !== '').map((field) => resolve(near.cwd, field));
  const check = (way: 'read' | 'write', paths: readonly string[]): void => {
    const denied = paths.find((path) => !said.includes(path) && !isAllowed(path, { ...near, way }));
    if (denied !== undefined) throw deniedPath(name, denied, { ...near, way });
  };
  check('read', readPaths(options, near));
  check('write', writtenPaths(options));
  const usesAgent = options.ssh.some(({ paths }) => paths.some((path) => path === near.agent));
  if (!usesAgent || near.allowed.ssh || near.set.some((text) => /^[^=]*\.ssh\+?=/.test(text))) return;
  throw new BuildError('denied', `target ${name}: it would use your ssh agent`, {
    hint: 'Add --allow ssh to the command if you trust its files.',
  });
}

type Way = Near & { readonly way: 'read' | 'write' };

function isAllowed(path: string, { cwd, allowed, isForeign, way }: Way): boolean {
  const real = realPath(path);
  const granted = allowed[way].map((root) => (root === '*' ? '/' : root));
  const roots = isForeign ? granted : [cwd, ...granted];
  return roots.some((root) => isWithin(realPath(resolve(cwd, root)), real));
}

function deniedPath(name: string, path: string, { cwd, isForeign, way }: Way): BuildError {
  const where = isForeign ? ' on this machine' : ', outside of the current folder';
  const near = relative(cwd, path) || '.';
  const shown = near.length < path.length ? near : path;
  return new BuildError('denied', `target ${name}: it would ${way} ${shown}${where}`, {
    hint: `Add --allow fs.${way}=${shown} to the command if you trust its files.`,
  });
}

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (!way.startsWith('../') && way !== '..');
}

/** Where a path leads; of what is not there, its folder counts, and of a link to nothing what would be made through it. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (path === dirname(path)) return path;
    const folder = realPath(dirname(path));
    const target = errnoOf(error) === 'ENOENT' ? linkAt(path) : undefined;
    return target === undefined ? resolve(folder, basename(path)) : realPath(resolve(folder, target));
  }
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function readPaths(options: WrittenOptions, { cwd, agent }: Near): readonly string[] {
  const { context, file, contexts, secrets, ssh, cacheFrom } = options;
  const named = Object.values(contexts).map((where) => layoutIn(where, cwd) ?? where);
  const files = secrets.flatMap((secret) => secret.file ?? []);
  const keys = ssh.flatMap(({ paths }) => paths).filter((path) => path !== agent);
  const caches = cacheFrom.flatMap((site) => (site.type === 'local' ? [site.folder] : []));
  const own = file === undefined ? [] : [file];
  // What is fetched has a Containerfile of its own, unless that is named with all of its path.
  return [context, ...own, ...named, ...files, ...keys, ...caches].filter((path) => !isFetched(path));
}

/** The folder of an OCI layout, without the tag and the digest behind it. */
function layoutIn(where: string, cwd: string): string | undefined {
  if (!where.startsWith('oci-layout://')) return undefined;
  const place = where.slice('oci-layout://'.length).replace(/@[^@]*$/s, '');
  return resolve(cwd, place.replace(/:\w[\w.-]*$/, ''));
}

function writtenPaths({ outputs, cacheTo }: WrittenOptions): readonly string[] {
  const places = outputs.flatMap((output) => ('dest' in output ? [output.dest] : []));
  const caches = cacheTo.flatMap(({ site }) => (site.type === 'local' ? [site.folder] : []));
  return [...places, ...caches].filter((path) => path !== '-');
}
