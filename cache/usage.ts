import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from './home.ts';

export type Kind =
  | 'blobs'
  | 'trees'
  | 'listings'
  | 'records'
  | 'downloads'
  | 'stat'
  | 'failures'
  | 'builds'
  | 'mounts';

/** One thing that prune may take away. */
export interface Item {
  readonly kind: Kind;
  /** Digest in hexadecimal (blobs, trees, listings, records), the id of a build, or the name of its file. */
  readonly name: string;
  readonly path: string;
  /** The file whose modification time is the last use. */
  readonly usedPath: string;
  readonly bytes: number;
  /** Last use in seconds since the epoch. */
  readonly used: number;
}

/** What one kind of thing takes up. */
export interface KindUsage {
  readonly kind: Kind;
  readonly count: number;
  readonly bytes: number;
  /** Last use of any of them, in seconds since the epoch; undefined where there are none. */
  readonly lastUsed: number | undefined;
}

export const kinds: readonly Kind[] = [
  'blobs',
  'trees',
  'listings',
  'records',
  'downloads',
  'stat',
  'failures',
  'builds',
  'mounts',
];

/** Everything in the store with its size and last use; reads folders, so it is not for the way of a build. */
export function itemsOf(home: Home): Item[] {
  return kinds.flatMap((kind) => {
    if (kind === 'trees')
      return namesIn(join(home.root, 'trees')).flatMap((mapping) => treesIn(home, mapping));
    const builds = join(home.root, 'builds', 'v1');
    if (kind === 'failures') return failuresIn(builds);
    if (kind === 'builds') return buildsIn(builds);
    return namesIn(home.path(kind, '')).flatMap((name) => fileItem(home, kind, name));
  });
}

/** Per kind: count, bytes, last use. */
export function usageOf(items: readonly Item[]): KindUsage[] {
  return kinds.map((kind) => {
    const own = items.filter((item) => item.kind === kind);
    return {
      kind,
      count: own.length,
      bytes: bytesOf(own),
      lastUsed: own.length === 0 ? undefined : Math.max(...own.map((item) => item.used)),
    };
  });
}

export function bytesOf(items: readonly Item[]): number {
  return items.reduce((sum, item) => sum + item.bytes, 0);
}

function treesIn(home: Home, mapping: string): Item[] {
  const folder = join(home.root, 'trees', mapping);
  return namesIn(folder)
    .filter((name) => !name.endsWith('.json'))
    .flatMap((name) => {
      const path = join(folder, name);
      const facts = readFacts(`${path}.json`);
      const usedPath = facts === undefined ? path : `${path}.json`;
      const stat = lstatSync(usedPath, { throwIfNoEntry: false });
      if (stat === undefined) return [];
      const used = (facts === undefined ? stat.ctimeMs : stat.mtimeMs) / 1000;
      return [{ kind: 'trees' as const, name, path, usedPath, used, bytes: facts ?? folderBytes(path) }];
    });
}

/** Steps that failed, as their builds keep them. */
function failuresIn(builds: string): Item[] {
  return namesIn(builds).flatMap((name) => {
    const path = join(builds, name, 'failed');
    const usedPath = join(path, 'step.json');
    const stat = lstatSync(usedPath, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    const bytes = readFacts(usedPath) ?? 0;
    return [{ kind: 'failures' as const, name, path, usedPath, bytes, used: stat.mtimeMs / 1000 }];
  });
}

/** What is remembered of builds; a step that failed is apart from it. */
function buildsIn(folder: string): Item[] {
  return namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    const usedPath = join(path, 'build.json');
    const stat = lstatSync(usedPath, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    const bytes = folderBytes(path, ['failed']);
    return [{ kind: 'builds' as const, name, path, usedPath, bytes, used: stat.mtimeMs / 1000 }];
  });
}

function readFacts(file: string): number | undefined {
  try {
    const { bytes } = JSON.parse(readFileSync(file, 'utf8')) as { bytes?: unknown };
    return typeof bytes === 'number' ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function fileItem(home: Home, kind: Exclude<Kind, 'trees' | 'failures' | 'builds'>, name: string): Item[] {
  const path = home.path(kind, name);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  const bytes = stat.isDirectory() ? folderBytes(path) : stat.size;
  return [
    { kind, name: name.replace(/\.json$/, ''), path, usedPath: path, bytes, used: stat.mtimeMs / 1000 },
  ];
}

/** Bytes of the files in a folder, which may be changing; `without` names entries of it that do not count. */
export function folderBytes(folder: string, without: readonly string[] = []): number {
  const names = namesIn(folder).filter((name) => !without.includes(name));
  return names.reduce((sum, name) => {
    const path = join(folder, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return sum + (stat?.isDirectory() ? folderBytes(path) : (stat?.size ?? 0));
  }, 0);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
