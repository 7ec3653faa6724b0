import { BuildError, suggestion } from '../../src/core/errors.ts';
import { retrying } from '../../src/http/retry.ts';
import { type GitAddress, isCommit, shown } from './git-address.ts';
import { authorize, type GitTools } from './git-auth.ts';
import { git } from './git-run.ts';

/** The commit that an address means now. */
export interface Resolved {
  readonly address: GitAddress;
  readonly commit: string;
  /** What is asked of the server: the full name of a ref, or the commit itself. */
  readonly from: string;
}

/**
 * Finds the commit of an address: a whole commit id needs no server; a branch goes before a tag of the same name. Fails
 * with `not-found` and names that are near, and with `digest-mismatch` where the checksum says another commit.
 */
export async function resolveCommit(address: GitAddress, tools: GitTools): Promise<Resolved> {
  const { ref = 'HEAD', checksum = '', fetchByCommit } = address;
  if (fetchByCommit && isCommit(checksum)) return { address, commit: checksum, from: checksum };
  if (fetchByCommit) {
    throw new BuildError('context', 'fetch-by-commit needs the whole commit', {
      hint: 'Add checksum= with all 40 digits.',
    });
  }
  const found = isCommit(ref) ? { commit: ref, from: ref, also: ref } : await ask(address, ref, tools);
  const { commit, from, also } = found;
  if (commit.startsWith(checksum) || also.startsWith(checksum)) return { address, commit, from };
  throw new BuildError(
    'digest-mismatch',
    `${ref} of ${shown(address.url)} is the commit ${commit}, not ${checksum}`,
    { hint: 'The branch or tag was moved: look at what changed, then correct the checksum.' },
  );
}

interface Found {
  readonly commit: string;
  readonly from: string;
  /** The tag's own object, where it has one. */
  readonly also: string;
}

async function ask(address: GitAddress, ref: string, tools: GitTools): Promise<Found> {
  const names = candidates(ref);
  const lines = await listRefs(
    address,
    names.flatMap((name) => [name, `${name}^{}`]),
    tools,
  );
  for (const name of names) {
    const object = lines.get(name);
    const commit = lines.get(`${name}^{}`) ?? object;
    if (object !== undefined && commit !== undefined) return { commit, from: name, also: object };
  }
  throw await unknownRef(address, ref, tools);
}

/** Full names that a ref may stand for, the first that exists counts. */
function candidates(ref: string): string[] {
  if (ref === 'HEAD' || ref.startsWith('refs/')) return [ref];
  return [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/${ref}`];
}

async function listRefs(
  { url }: GitAddress,
  patterns: readonly string[],
  tools: GitTools,
): Promise<ReadonlyMap<string, string>> {
  const remote = await authorize(url, tools.secret);
  const args = ['ls-remote', '-q', '--', remote.url, ...patterns];
  const text = await retrying(() => git({ args, remote }, tools), { ...tools.retry, signal: tools.signal });
  const lines = text.split('\n').map((line) => line.split('\t') as [string, string?]);
  return new Map(lines.flatMap(([object, name]) => (isCommit(object) && name ? [[name, object]] : [])));
}

async function unknownRef(address: GitAddress, ref: string, tools: GitTools): Promise<BuildError> {
  const all = await listRefs(address, ['refs/heads/*', 'refs/tags/*'], tools);
  const names = [
    ...new Set([...all.keys()].map((name) => name.replace(/^refs\/(?:heads|tags)\/|\^\{\}$/g, ''))),
  ];
  const where = shown(address.url);
  if (ref === 'HEAD') {
    return new BuildError('not-found', `${where} has no default branch`, { hint: listed(names) });
  }
  const short = /^[0-9a-f]{7,39}$/.test(ref) ? 'A commit is named by all its 40 digits.' : undefined;
  return new BuildError('not-found', `${where} has no branch, tag or commit "${ref}"`, {
    about: ref,
    hint: suggestion(ref, names) ?? short ?? listed(names),
  });
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'The repository is empty.';
  const few = names.slice(0, 8).join(', ');
  return `There are: ${few}${names.length > 8 ? `, and ${names.length - 8} more` : ''}.`;
}
