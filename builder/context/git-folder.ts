import { appendFileSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * An empty repository, laid out by ourselves: `git init` would take a template and settings of the person along.
 * Commits of 64 digits are those of repositories that use SHA-256.
 */
export function layOutRepository(gitDir: string, commit: string): void {
  for (const name of ['objects/pack', 'objects/info', 'refs/heads', 'refs/tags']) {
    mkdirSync(join(gitDir, name), { recursive: true });
  }
  const format =
    commit.length === 64
      ? '\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n[core]\n'
      : '\trepositoryformatversion = 0\n';
  writeFileSync(join(gitDir, 'HEAD'), 'ref: refs/heads/main\n');
  writeFileSync(join(gitDir, 'config'), `[core]\n${format}\tfilemode = true\n\tbare = false\n`);
}

/** Notes in the repository where it came from, and that the commit is checked out. */
export function nameOrigin(
  gitDir: string,
  { url, commit }: { readonly url: string; readonly commit: string },
): void {
  const quoted = `"${url.replace(/["\\]/g, '\\$&')}"`;
  const fetch = '+refs/heads/*:refs/remotes/origin/*';
  appendFileSync(join(gitDir, 'config'), `[remote "origin"]\n\turl = ${quoted}\n\tfetch = ${fetch}\n`);
  writeFileSync(join(gitDir, 'HEAD'), `${commit}\n`);
}

/** Takes away what would differ from one fetch to the next, and the names by which other branches would be kept. */
export function settle(gitDir: string): void {
  for (const name of ['FETCH_HEAD', 'ORIG_HEAD', 'logs', 'objects/info/commit-graph', 'refs/tsbuild']) {
    rmSync(join(gitDir, name), { recursive: true, force: true });
  }
}

/** Bytes of what was fetched. */
export function packedBytes(gitDir: string): number {
  const sizes = readdirSync(join(gitDir, 'objects'), { recursive: true, encoding: 'utf8' }).map((name) => {
    const stat = statSync(join(gitDir, 'objects', name), { throwIfNoEntry: false });
    return stat?.isFile() ? stat.size : 0;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}
