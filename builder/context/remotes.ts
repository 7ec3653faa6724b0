import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { type Digest, keyOf } from '../../src/core/digest.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { Store } from '../../src/core/store.ts';
import type { ContextFile } from './context.ts';
import type { GitAddress } from './git-address.ts';
import type { GitTools } from './git-auth.ts';
import type { Resolved } from './git-refs.ts';
import { download, type HttpFile, type HttpTools } from './http.ts';

/** What a build fetches from elsewhere: each address is asked once, each commit fetched once. */
export interface Remotes extends AsyncDisposable {
  /** The commit that the address means now. */
  commit(address: GitAddress): Promise<Resolved>;
  /** The files of a commit; they lie in the store until the build ends. */
  files(resolved: Resolved, keepGitDir: boolean): Promise<readonly ContextFile[]>;
  download(url: string, checksum?: Digest): Promise<HttpFile>;
  /** Told of a file that a step is made of and that is fetched only where the step must be made. */
  expect(url: string, digest: Digest): void;
  /** A private folder that lasts until the build ends. */
  folder(): Promise<string>;
}

/** What fetching needs of a build. */
export type RemoteTools = GitTools & HttpTools & { readonly store: Pick<Store, 'scratch'> };

/**
 * Ends what is still being fetched when it is disposed of, and removes what was fetched. What speaks git is loaded at
 * the first repository.
 */
export function openRemotes(around: RemoteTools): Remotes {
  const end = new AbortController();
  const tools = { ...around, signal: AbortSignal.any([around.signal, end.signal]) };
  setMaxListeners(0, tools.signal);
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
    expect: () => {},
    commit: (address) =>
      once(keyOf(['commit', { ...address }]), async () => {
        const { resolveCommit } = await import('./git-refs.ts');
        return await resolveCommit(address, tools);
      }),
    files: (resolved, keepGitDir) =>
      once(keyOf(['files', resolved.commit, { ...resolved.address }, keepGitDir]), async () => {
        const { checkOut } = await import('./git.ts');
        return await checkOut(resolved, { folder: await folder(), keepGitDir }, tools);
      }),
    download: (url, checksum) => once(keyOf(['http', url, checksum]), () => download(url, checksum, tools)),
    async [Symbol.asyncDispose]() {
      end.abort(new BuildError('interrupted', 'the build has ended'));
      const made = known.has('scratch') ? await scratch() : undefined;
      await Promise.allSettled(known.values());
      await made?.[Symbol.asyncDispose]();
    },
  };
}

/** The result of work that is shared, unless the one who waits for it is told to stop: then the others go on alone. */
export function whileWanted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  setMaxListeners(0, signal);
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
