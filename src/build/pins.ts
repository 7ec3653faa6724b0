import { existsSync, readFileSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { FindImage } from '../../builder/base-image.ts';
import { type GitAddress, isCommit, shown } from '../../builder/context/git-address.ts';
import type { Remotes } from '../../builder/context/remotes.ts';
import { type Digest, isDigest } from '../core/digest.ts';
import { BuildError, usageError } from '../core/errors.ts';
import { withoutLogin } from '../core/logins.ts';
import type { BuildOptions, Lock } from '../core/options.ts';
import { shownPath } from '../core/paths.ts';
import { readPlainText } from '../core/text-file.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { intoFile } from './into-file.ts';

/** What names meant when the lock file was written; keys are names without logins. */
interface LockFile {
  readonly version: 1;
  /** Of images, what the name stands for: the index, where there is one. */
  readonly images: Readonly<Record<string, Digest>>;
  readonly downloads: Readonly<Record<string, Digest>>;
  readonly commits: Readonly<Record<string, string>>;
}

type Kind = Exclude<keyof LockFile, 'version'>;

interface Asking {
  /** The full name that a written one stands for. */
  readonly meaning: (name: string) => Promise<Reference>;
  /** The digest that a name has in its registry; undefined where that has no such image. */
  readonly digest: (reference: Reference) => Promise<string | undefined>;
}

/** The pins of a build that has a lock file, which lies beside the Containerfile unless it is named. */
export function openPins(
  { lock, pull }: Pick<BuildOptions, 'lock' | 'pull'>,
  containerfile: string | undefined,
): Pins | undefined {
  if (lock === undefined) return undefined;
  const path = lock.file ?? (containerfile === undefined ? undefined : `${containerfile}.lock`);
  if (path !== undefined) return new Pins(path, lock.mode, pull === 'always');
  const flag = lock.mode === 'write' ? '--lock' : '--frozen';
  throw usageError(
    `${flag} has no lock file: the Containerfile is no file of this machine`,
    `Name one: ${flag}=FILE.`,
  );
}

/**
 * The names of a build, pinned: each means what the lock file says. `--lock` adds what is not in it yet, and with
 * `refresh` asks for everything anew; `--frozen` fails with `not-found` there, and asks for no name at all.
 */
export class Pins {
  readonly #path: string;
  readonly #frozen: boolean;
  readonly #known: LockFile;
  readonly #refresh: boolean;
  readonly #found = new Map<Kind, Map<string, Promise<string>>>();

  /** Fails with `not-found` or `context` where `--frozen` has no lock file to go by, or where it is none. */
  constructor(path: string, mode: Lock['mode'], refresh: boolean) {
    this.#path = path;
    this.#frozen = mode === 'frozen';
    this.#refresh = refresh && !this.#frozen;
    this.#known = readLockFile(path, this.#frozen);
  }

  /** Images by the digests that their names stand for. */
  images(find: FindImage, { meaning, digest }: Asking): FindImage {
    return async (text, platform) => {
      const reference = await meaning(text);
      if (reference.digest !== undefined) return await find(text, platform);
      const name = formatReference(reference);
      const pinned = await this.#pin('images', name, async () => {
        const found = await digest(reference);
        if (found !== undefined) return found;
        throw new BuildError('not-found', `the image ${name} is in no registry, and cannot be pinned`, {
          about: text,
          hint: 'Push it there first, or hand it over with --build-context NAME=oci-layout://FOLDER.',
        });
      });
      return await find(`${name}@${pinned}`, platform);
    };
  }

  /** Downloads and repositories by digest and commit. */
  remotes(remotes: Remotes): Remotes {
    return {
      ...remotes,
      [Symbol.asyncDispose]: () => remotes[Symbol.asyncDispose](),
      download: async (url, checksum) => {
        if (checksum !== undefined) return await remotes.download(url, checksum);
        const ask = async () => (await remotes.download(url)).digest;
        const pinned = (await this.#pin('downloads', withoutLogin(url), ask)) as Digest;
        return await remotes.download(url, pinned).catch((error: unknown) => {
          throw this.#changed(error);
        });
      },
      commit: async (address) => {
        const { ref = '', checksum = '' } = address;
        if (isCommit(ref) || isCommit(checksum)) return await remotes.commit(address);
        const ask = async () => (await remotes.commit(address)).commit;
        const commit = await this.#pin('commits', nameOf(address), ask);
        return { address, commit, from: commit };
      },
    };
  }

  /** Writes what was learnt, beside what the file said of other targets. Fails with `output` or `disk-full`. */
  async save(): Promise<void> {
    if (this.#frozen) return;
    const text = await this.#text();
    if (existsSync(this.#path) && readFileSync(this.#path, 'utf8') === text) return;
    await intoFile(this.#path, async (out) => {
      out.end(text);
      await finished(out);
    });
  }

  /** Each name is asked for once, whoever wants it. */
  #pin(kind: Kind, name: string, ask: () => Promise<string>): Promise<string> {
    const found = this.#found.get(kind) ?? new Map<string, Promise<string>>();
    this.#found.set(kind, found);
    const known = this.#refresh ? undefined : this.#known[kind][name];
    const pinned = found.get(name) ?? (known === undefined ? this.#learn(name, ask) : Promise.resolve(known));
    found.set(name, pinned);
    pinned.catch(() => found.delete(name));
    return pinned;
  }

  async #learn(name: string, ask: () => Promise<string>): Promise<string> {
    if (!this.#frozen) return await ask();
    const where = shownPath(this.#path);
    throw new BuildError('not-found', `${where} does not pin ${name}, and --frozen asks nobody`, {
      hint: 'Build once with --lock instead, and keep the lock file it writes beside the Containerfile.',
    });
  }

  async #text(): Promise<string> {
    const merged = async (kind: Kind) => {
      const learnt = [...(this.#found.get(kind) ?? [])].map(async ([name, pinned]) => [name, await pinned]);
      const all = { ...this.#known[kind], ...Object.fromEntries(await Promise.all(learnt)) };
      return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
    };
    const file = {
      version: 1,
      images: await merged('images'),
      downloads: await merged('downloads'),
      commits: await merged('commits'),
    };
    return `${JSON.stringify(file, undefined, 2)}\n`;
  }

  #changed(error: unknown): unknown {
    if (!(error instanceof BuildError) || error.code !== 'digest-mismatch') return error;
    const hint = `It was changed since ${shownPath(this.#path)} was written: look at it, then build with --lock --pull.`;
    return error.with({ hint });
  }
}

function readLockFile(path: string, mustExist: boolean): LockFile {
  const empty: LockFile = { version: 1, images: {}, downloads: {}, commits: {} };
  if (!existsSync(path)) {
    if (!mustExist) return empty;
    throw new BuildError('not-found', `--frozen goes by a lock file, and there is no ${shownPath(path)}`, {
      hint: 'Build once with --lock: it writes one.',
    });
  }
  const parsed = parseLock(readPlainText(path, `the lock file ${shownPath(path)}`));
  if (parsed !== undefined) return { ...empty, ...parsed };
  throw new BuildError('context', `${shownPath(path)} is no lock file that this tsbuild knows`, {
    hint: 'Where it was damaged, delete it and build with --lock; where a newer tsbuild wrote it, use that one.',
  });
}

function parseLock(text: string): Partial<LockFile> | undefined {
  try {
    const file = JSON.parse(text) as Partial<LockFile> | null;
    const { version, images = {}, downloads = {}, commits = {} } = file ?? {};
    const digests = [...Object.values(images), ...Object.values(downloads)];
    const isSound = digests.every(isDigest) && Object.values(commits).every(isCommit);
    return version === 1 && isSound ? { images, downloads, commits } : undefined;
  } catch {
    return undefined;
  }
}

/** A checksum is part of the name: a pin was checked against it, and counts for no other. */
function nameOf({ url, ref, checksum }: GitAddress): string {
  const query = checksum === undefined ? '' : `?checksum=${checksum}`;
  return `${shown(url)}${query}${ref === undefined ? '' : `#${ref}`}`;
}
