import { lstatSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '../../src/core/errors.ts';
import { timed } from '../../src/core/spans.ts';
import { retrying } from '../../src/http/retry.ts';
import type { ContextFile } from './context.ts';
import { checkUrl, isCommit, shown } from './git-address.ts';
import { type Authorized, authorize, type GitTools } from './git-auth.ts';
import { layOutRepository, nameOrigin, packedBytes, settle } from './git-folder.ts';
import type { Resolved } from './git-refs.ts';
import { git } from './git-run.ts';
import { type Submodule, submodulesOf } from './git-submodules.ts';
import { checkedOutFiles } from './git-tree.ts';

/** Submodules within submodules go no deeper than any project needs. */
const mostLevels = 16;

/**
 * Fetches one commit into `folder`, a private one that does not exist yet, with its submodules, and returns the files
 * below the address's subdir: owner 0:0, modes 644 and 755. Nothing that the repository holds is run, and no link of
 * it is followed. Fails with `not-found`, `denied`, `network` or `context`.
 */
export async function checkOut(
  resolved: Resolved,
  { folder, keepGitDir }: { readonly folder: string; readonly keepGitDir: boolean },
  tools: GitTools,
): Promise<readonly ContextFile[]> {
  const { address } = resolved;
  const own = await authorize(address.url, tools.secret);
  const top = { resolved, own, workTree: join(folder, 'tree'), gitDir: join(folder, 'tree/.git') };
  await told(top, tools, async () => {
    await fetchAndLayOut(top, tools);
    if (address.submodules) await layOutSubmodules({ ...top, folder, home: address.url, depth: 0 }, tools);
  });
  const seconds = await commitTime(resolved, top.gitDir, tools);
  const kept = keepGitDir && address.subdir === '';
  if (kept) await keepRepository(top, tools);
  else rmSync(top.gitDir, { recursive: true, force: true });
  const now = Math.floor(Date.now() / 1000);
  return checkedOutFiles(top.workTree, {
    subdir: address.subdir,
    seconds: address.mtime === 'commit' ? seconds : now,
    of: shown(address.url),
  });
}

/** The work, seen as a transfer. */
async function told(
  { resolved, gitDir }: Repository,
  { emit }: GitTools,
  work: () => Promise<void>,
): Promise<void> {
  const name = shown(resolved.address.url);
  const transfer = {
    type: 'transfer',
    id: `git ${name} ${resolved.commit}`,
    name: `cloning ${name}`,
  } as const;
  emit({ ...transfer, done: 0, state: 'running' });
  try {
    await timed(emit, 'transfer', work);
  } catch (error) {
    emit({ ...transfer, done: 0, state: 'failed' });
    throw error;
  }
  emit({ ...transfer, done: packedBytes(gitDir), state: 'done' });
}

/** One repository on its way to disk. */
interface Repository {
  readonly resolved: Resolved;
  readonly own: Authorized;
  readonly workTree: string;
  readonly gitDir: string;
}

const fetched = 'refs/tsbuild/source';

async function fetchAndLayOut(repository: Repository, tools: GitTools): Promise<void> {
  const { resolved, gitDir, workTree } = repository;
  const { commit, address } = resolved;
  mkdirSync(workTree, { recursive: true });
  layOutRepository(gitDir, commit);
  await fetchCommit(repository, tools);
  const paths = [address.subdir === '' ? '.' : address.subdir];
  if (address.submodules && address.subdir !== '') paths.push('.gitmodules');
  for (const path of paths) await layOutPath(repository, path, tools);
}

/** The files below a path; an absent `.gitmodules` only says that there are no submodules. */
async function layOutPath(
  { resolved, gitDir, workTree }: Repository,
  path: string,
  tools: GitTools,
): Promise<void> {
  const { commit, address } = resolved;
  const listed = await git({ args: ['ls-tree', '-z', commit, '--', path], gitDir }, tools);
  const isWhole = path === '.';
  if (!isWhole && listed === '') {
    if (path !== address.subdir) return;
    throw new BuildError(
      'not-found',
      `${shown(address.url)} has no folder "${path}" at ${commit.slice(0, 12)}`,
      {
        about: address.url,
        hint: 'The folder stands behind the colon: #ref:folder.',
      },
    );
  }
  if (isWhole && listed === '') return;
  await git({ args: ['checkout', '-q', '-f', commit, '--', path], gitDir, workTree }, tools);
}

/** One commit without its history; where the server gives none so (an old one, plain files), all that its branches hold. */
async function fetchCommit(repository: Repository, tools: GitTools): Promise<void> {
  const { commit, from } = repository.resolved;
  const single = async (name: string): Promise<void> =>
    await fetchRefs(repository, { refs: [`+${name}:${fetched}`], options: ['--depth=1'] }, tools);
  await single(from).catch((error) => fetchAll(repository, error, tools));
  if (await hasCommit(repository, tools)) return;
  if (!isCommit(from)) await single(commit).catch(() => {});
  if (await hasCommit(repository, tools)) return;
  throw unknownCommit(repository.resolved);
}

async function fetchAll(repository: Repository, refused: unknown, tools: GitTools): Promise<void> {
  const code = refused instanceof BuildError ? refused.code : 'bug';
  if (code !== 'context' && code !== 'not-found') throw refused;
  const { from } = repository.resolved;
  const named = isCommit(from) ? [] : [`+${from}:${fetched}`];
  const all = ['+refs/heads/*:refs/tsbuild/heads/*', '+refs/tags/*:refs/tsbuild/tags/*'];
  await fetchRefs(repository, { refs: [...named, ...all], options: [] }, tools);
}

function unknownCommit({ address, commit, from }: Resolved): BuildError {
  return new BuildError('not-found', `${shown(address.url)} has no commit ${commit} that it gives away`, {
    about: commit,
    hint: isCommit(from)
      ? 'Check the digits; the commit must be on a branch or a tag of this repository.'
      : 'The branch was moved meanwhile: build again.',
  });
}

async function fetchRefs(
  { own, gitDir }: Repository,
  { refs, options }: { readonly refs: readonly string[]; readonly options: readonly string[] },
  tools: GitTools,
): Promise<void> {
  const args = ['fetch', '-q', '--no-tags', ...options, '--', own.url, ...refs];
  await retrying(() => git({ args, gitDir, remote: own }, tools), { ...tools.retry, signal: tools.signal });
}

async function hasCommit({ gitDir, resolved }: Repository, tools: GitTools): Promise<boolean> {
  const args = ['cat-file', '-e', `${resolved.commit}^{commit}`];
  return await git({ args, gitDir }, tools).then(
    () => true,
    () => false,
  );
}

interface Parent extends Repository {
  /** Where the repositories of submodules are put. */
  readonly folder: string;
  /** The address that the build names: secrets without a host in their name are for its server. */
  readonly home: string;
  readonly depth: number;
}

/** Every submodule at the commit that the repository names, and theirs; of `.gitmodules` only path and url count. */
async function layOutSubmodules(parent: Parent, tools: GitTools): Promise<void> {
  const { folder, home, depth } = parent;
  const submodules = await submodulesOf(parent, tools);
  if (depth >= mostLevels && submodules.length > 0)
    throw new BuildError('context', `${shown(home)} has submodules in each other without end`);
  for (const [i, submodule] of submodules.entries()) {
    const child = await childOf(parent, submodule, { gitDir: join(folder, `module-${i}`), tools });
    if (!isFolderOf(parent.workTree, submodule.path)) continue;
    await fetchAndLayOut(child, tools);
    await layOutSubmodules({ ...child, folder: `${child.gitDir}-modules`, home, depth: depth + 1 }, tools);
  }
}

/** Whether a folder stands at the path without a link on the way: what is written there must stay in the checkout. */
function isFolderOf(workTree: string, path: string): boolean {
  const folder = join(workTree, path);
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
  return realpathSync(folder) === join(realpathSync(workTree), path);
}

async function childOf(
  { home, resolved, workTree }: Parent,
  { url, commit, path }: Submodule,
  { gitDir, tools }: { readonly gitDir: string; readonly tools: GitTools },
): Promise<Repository> {
  checkUrl(url);
  const address = { ...resolved.address, url, subdir: '' };
  const own = await authorize(url, tools.secret, isSameServer(url, home));
  return { resolved: { address, commit, from: commit }, own, workTree: join(workTree, path), gitDir };
}

function isSameServer(url: string, other: string): boolean {
  return URL.canParse(url) && URL.canParse(other) && new URL(url).origin === new URL(other).origin;
}

async function commitTime({ commit }: Resolved, gitDir: string, tools: GitTools): Promise<number> {
  const text = await git({ args: ['log', '-1', '--format=%ct', commit], gitDir }, tools);
  return Number(text.trim()) || 0;
}

/** The repository as it stays in the image: the same bytes each time, and the address without a login. */
async function keepRepository({ resolved, gitDir, workTree }: Repository, tools: GitTools): Promise<void> {
  const { commit, from, address } = resolved;
  const isNamed = /^refs\/(?:heads|tags)\//.test(from);
  if (isNamed) await git({ args: ['update-ref', from, fetched], gitDir }, tools);
  nameOrigin(gitDir, { url: shown(address.url), commit });
  await git({ args: ['read-tree', commit], gitDir, workTree }, tools);
  settle(gitDir);
  await git({ args: ['repack', '-a', '-d', '-f', '-q'], gitDir }, tools);
  await git({ args: ['prune', '--expire=now'], gitDir }, tools);
}
