import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { must } from './programs.ts';

/** A repository of a test's own: a work tree, and the bare copy that is served. */
export interface TestRepository {
  readonly work: string;
  /** Writes files and commits them on the current branch; gives the commit. */
  commit(files: Readonly<Record<string, string>>): Promise<string>;
  git(...args: readonly string[]): Promise<string>;
  /** Brings the bare copy up to date. */
  publish(): Promise<void>;
}

/** Makes `<root>/<name>.git` with nothing in it yet. */
export async function newRepository(root: string, name: string): Promise<TestRepository> {
  const work = join(root, `${name}.work`);
  const bare = join(root, `${name}.git`);
  const env = { ...plainEnvironment(), GIT_AUTHOR_DATE: when, GIT_COMMITTER_DATE: when };
  const git = (...args: readonly string[]) => must(['git', '-C', work, ...args], { env });
  await must(['git', 'init', '-q', '-b', 'main', work], { env });
  await must(['git', 'init', '-q', '--bare', '-b', 'main', bare], { env });
  return {
    work,
    git,
    async commit(files) {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(work, path)), { recursive: true });
        writeFileSync(join(work, path), text);
      }
      await git('add', '-A');
      await git('commit', '-q', '--allow-empty', '-m', 'tests');
      return (await git('rev-parse', 'HEAD')).trim();
    },
    async publish() {
      await git('push', '-q', '--mirror', bare);
    },
  };
}

/** Seconds since the epoch at which every commit of the tests was made. */
export const commitSeconds = 1_600_000_000;
const when = `${commitSeconds} +0000`;

/** Without the settings of whoever runs the tests. */
function plainEnvironment(): Record<string, string> {
  const name = { GIT_AUTHOR_NAME: 't', GIT_AUTHOR_EMAIL: 't@localhost' };
  const committer = { GIT_COMMITTER_NAME: 't', GIT_COMMITTER_EMAIL: 't@localhost' };
  const files = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', ...name, ...committer, ...files };
}
