import { type BigIntStats, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { pathOf } from '../src/core/bytes.ts';
import { lgetxattr, llistxattr } from '../src/sys/xattr.ts';
import { namesIn, statOf } from './copy-layer.ts';

/** What a path was when the folder was looked at. */
export interface State {
  readonly isDirectory: boolean;
  /** The same as long as it is the same file, whatever happens to it. */
  readonly file: string;
  /** Mode, owner, size, time, attributes. */
  readonly looks: string;
  /** Nanoseconds. */
  readonly ctime: string;
  /** How many names it has. */
  readonly links: number;
}

/** The state of everything below a folder, by path; '' is the folder itself. */
export type CopySnapshot = ReadonlyMap<string, State>;

/**
 * Looks at everything below `folder`. When this returns, the clock of the file system has moved on: whatever is changed
 * from now on gets another ctime than it has, and no program can set that one back.
 */
export function snapshotOf(folder: string): CopySnapshot {
  const seen = new Map<string, State>();
  let newest = 0n;
  const visit = (path: string): void => {
    const stat = statOf(at(folder, path))!;
    seen.set(path, stateOf(at(folder, path), stat));
    if (stat.ctimeNs > newest) newest = stat.ctimeNs;
    if (stat.isDirectory()) for (const name of namesIn(at(folder, path))) visit(below(path, name));
  };
  visit('');
  waitForClock(`${folder}.clock`, newest);
  return seen;
}

export function writeSnapshot(file: string, snapshot: CopySnapshot): void {
  const lines = [...snapshot].map(([path, { isDirectory, file, looks, ctime, links }]) =>
    JSON.stringify([path, isDirectory, file, looks, ctime, links]),
  );
  writeFileSync(file, lines.join('\n'), { mode: 0o600 });
}

export function readSnapshot(file: string): CopySnapshot {
  const lines = readFileSync(file, 'utf8').split('\n');
  return new Map(
    lines.map((line) => {
      const [path, isDirectory, file, looks, ctime, links] = JSON.parse(line) as Row;
      return [path, { isDirectory, file, looks, ctime, links }];
    }),
  );
}

type Row = [path: string, isDirectory: boolean, file: string, looks: string, ctime: string, links: number];

/** What `full`, of which `stat` is known, is now. */
export function stateOf(full: string, stat: BigIntStats): State {
  const isDirectory = stat.isDirectory();
  const type = stat.mode & 0o170000n;
  return {
    isDirectory,
    // Numbers of files are given again; the time of birth tells them apart.
    file: `${type} ${stat.ino} ${stat.birthtimeNs} ${stat.rdev}`,
    looks: `${stat.mode} ${stat.uid} ${stat.gid} ${isDirectory ? 0 : stat.size} ${stat.mtimeNs}${xattrs(full)}`,
    ctime: String(stat.ctimeNs),
    links: Number(stat.nlink),
  };
}

/** A path in a folder, '' being the folder. */
export function at(folder: string, path: string): string {
  return path === '' ? folder : `${folder}/${path}`;
}

/** A name in a directory. */
export function below(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function xattrs(full: string): string {
  const path = pathOf(full);
  return llistxattr(path)
    .sort()
    .map((name) => ` ${name}=${lgetxattr(path, name).toString('base64')}`)
    .join('');
}

/** File systems take the time from a clock that ticks every few milliseconds. */
function waitForClock(probe: string, newest: bigint): void {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    writeFileSync(probe, '.');
    const { ctimeNs } = statOf(probe)!;
    rmSync(probe);
    // It may also have been set back.
    if (ctimeNs !== newest) return;
    Atomics.wait(sleeper, 0, 0, 1);
  }
}
