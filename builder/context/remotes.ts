import { join } from 'node:path';
import type { Digest } from '../../src/core/digest.ts';
import { keyOf } from '../../src/core/digest.ts';
import type { Store } from '../../src/core/store.ts';
import type { ContextFile } from './context.ts';
import { checkOut } from './git.ts';
import type { GitAddress } from './git-address.ts';
import type { GitTools } from './git-auth.ts';
import { type Resolved, resolveCommit } from './git-refs.ts';
import { download, type HttpFile, type HttpTools } from './http.ts';

/** What a build fetches from elsewhere: each address is asked once, each commit fetched once. */
export interface Remotes extends AsyncDisposable {
  /** The commit that the address means now. */
  commit(address: GitAddress): Promise<Resolved>;
  /** The files of a commit; they lie in the store until the build ends. */
  files(resolved: Resolved, keepGitDir: boolean): Promise<readonly ContextFile[]>;
  download(url: string, checksum?: Digest): Promise<HttpFile>;
  /** A private folder that lasts until the build ends. */
  folder(): Promise<string>;
}

/** What fetching needs of a build. */
export type RemoteTools = GitTools & HttpTools & { readonly store: Pick<Store, 'scratch'> };

export function openRemotes(tools: RemoteTools): Remotes {
  const known = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, make: () => Promise<T>): Promise<T> => {
    const made = (known.get(key) as Promise<T> | undefined) ?? make();
    known.set(key, made);
    made.catch(() => known.delete(key));
    return made;
  };
  const scratch = () => once('scratch', () => tools.store.scratch());
  let count = 0;
  const folder = async (): Promise<string> => join((await scratch()).path, `remote-${count++}`);
  return {
    folder,
    commit: (address) => once(keyOf(['commit', { ...address }]), () => resolveCommit(address, tools)),
    files: (resolved, keepGitDir) =>
      once(keyOf(['files', resolved.commit, { ...resolved.address }, keepGitDir]), async () =>
        checkOut(resolved, { folder: await folder(), keepGitDir }, tools),
      ),
    download: (url, checksum) => once(keyOf(['http', url, checksum]), () => download(url, checksum, tools)),
    [Symbol.asyncDispose]: async () => {
      if (!known.has('scratch')) return;
      await (await scratch())[Symbol.asyncDispose]();
    },
  };
}
