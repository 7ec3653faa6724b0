import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { cleanPath } from '../path-resolve.ts';
import type { Resolved } from './git-refs.ts';
import { type GitRunner, git } from './git-run.ts';

export interface Submodule {
  /** Clean path in the repository. */
  readonly path: string;
  /** Absolute. */
  readonly url: string;
  readonly commit: string;
}

interface Parent {
  readonly workTree: string;
  readonly gitDir: string;
  readonly resolved: Resolved;
}

/**
 * The submodules of a checked out commit, as its `.gitmodules` names them; what that file does not name is left empty.
 * The index says where they lie, not the commit: git lets no path into it that leads into `.git`, out of the work tree
 * or through a link.
 */
export async function submodulesOf(
  { workTree, gitDir, resolved }: Parent,
  runner: GitRunner,
): Promise<readonly Submodule[]> {
  const file = join(workTree, '.gitmodules');
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return [];
  const urls = await urlsByPath(file, runner);
  const listed = await git({ args: ['ls-files', '--stage', '-z'], gitDir, workTree }, runner);
  return listed.split('\0').flatMap((line) => {
    const [, commit, path] = /^160000 ([0-9a-f]+) 0\t(.*)$/s.exec(line) ?? [];
    const url = path === undefined ? undefined : urls.get(cleanPath(path));
    if (commit === undefined || path === undefined || url === undefined) return [];
    return [{ path: cleanPath(path), url: absolute(url, resolved.address.url), commit }];
  });
}

async function urlsByPath(file: string, runner: GitRunner): Promise<ReadonlyMap<string, string>> {
  const args = [
    'config',
    '-z',
    '--no-includes',
    '--file',
    file,
    '--get-regexp',
    '^submodule\\..*\\.(path|url)$',
  ];
  const text = await git({ args }, runner);
  const found = new Map<string, { path?: string; url?: string }>();
  for (const field of text.split('\0')) {
    const [, name, key, value] = /^submodule\.(.*)\.(path|url)\n(.*)$/s.exec(field) ?? [];
    if (name !== undefined) found.set(name, { ...found.get(name), [key!]: value });
  }
  const pairs = [...found.values()].flatMap(({ path, url }) =>
    path && url ? [[cleanPath(path), url] as const] : [],
  );
  return new Map(pairs);
}

/** `../other.git` starts from the repository that holds it, each `..` taking one part of its address away. */
function absolute(url: string, base: string): string {
  if (!/^\.\.?\//.test(url)) return url;
  let at = base.replace(/\/+$/, '');
  let rest = url;
  for (let match = /^(\.\.?)\//.exec(rest); match !== null; match = /^(\.\.?)\//.exec(rest)) {
    rest = rest.slice(match[0].length);
    if (match[1] === '..') at = at.replace(/(?<![:/])[/:][^/:]*$/, '');
  }
  return /^[^/]*@[^/:]*$/.test(at) ? `${at}:${rest}` : `${at}/${rest}`;
}
