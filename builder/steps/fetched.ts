import type { CopyInstruction } from '../../src/containerfile/types.ts';
import { type Digest, type Framed, isDigest } from '../../src/core/digest.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { FileList } from '../../src/core/ingredients.ts';
import type { Layer } from '../../src/core/types.ts';
import type { Context } from '../context/context.ts';
import { emptyContext } from '../context/empty.ts';
import { type GitAddress, parseGitAddress, shown, withChecksum } from '../context/git-address.ts';
import { downloadedFile, isHttp, nameOfUrl } from '../context/http.ts';
import { type Fetched, joinedContext, placeOf } from '../context/joined.ts';
import { type Remotes, whileWanted } from '../context/remotes.ts';
import { expanded, type StageScope, type StageState } from '../state.ts';
import { type CopyInput, type CopyTools, type Selection, selectFiles } from './copy.ts';

/** A source of ADD that comes from elsewhere: known by its key, fetched when it is needed. */
interface Remote {
  readonly key: Framed;
  fetch(): Promise<Fetched>;
}

/**
 * The files of an ADD that names addresses, or undefined where it names none (containerfile §2). What a server says
 * about them is asked at once; they are fetched only where the cache does not know the step.
 */
export async function fetchedSelection(
  input: CopyInput,
  instruction: CopyInstruction,
  { state, scope }: { readonly state: StageState; readonly scope: StageScope },
): Promise<Selection | undefined> {
  if (input.kind !== 'add') return undefined;
  const { checksum } = instruction;
  const wanted = {
    checksum: checksum === undefined ? undefined : expanded(checksum.text, state, scope),
    keepGitDir: instruction.keepGitDir,
  };
  checkChecksum(input, wanted.checksum);
  const { remotes, signal } = scope.tools;
  const asking = Promise.all(input.sources.map((source) => remoteOf(source, wanted, remotes)));
  const asked = await whileWanted(asking, signal);
  const found = new Map(asked.flatMap((remote, i) => (remote === undefined ? [] : [[i, remote] as const])));
  if (found.size === 0) return undefined;
  const ground = { input, remotes: found, tools: scope.tools };
  if (found.size < input.sources.length) return await fetchAndSelect(ground, scope.tools.context);
  return await LateSelection.of(ground);
}

interface Wanted {
  readonly checksum: string | undefined;
  readonly keepGitDir: boolean | undefined;
}

async function remoteOf(source: string, wanted: Wanted, remotes: Remotes): Promise<Remote | undefined> {
  const address = parseGitAddress(source);
  if (address !== undefined) return await repository(address, wanted, remotes);
  return isHttp(source) ? await file(source, wanted, remotes) : undefined;
}

async function repository(plain: GitAddress, wanted: Wanted, remotes: Remotes): Promise<Remote> {
  const { checksum, keepGitDir } = wanted;
  const address = checksum === undefined ? plain : withChecksum(plain, checksum);
  const { subdir, submodules, mtime, url } = address;
  const keep = keepsGitDir(keepGitDir, address) && subdir === '';
  const resolved = await remotes.commit(address);
  const kept = keep ? { url: shown(url), from: resolved.from } : undefined;
  return {
    key: { git: resolved.commit, subdir, submodules, mtime, kept },
    fetch: async () => ({ files: await remotes.files(resolved, keep) }),
  };
}

function keepsGitDir(asked: boolean | undefined, { keepGitDir: own }: GitAddress): boolean {
  if (asked === undefined || own === undefined || asked === own) return asked ?? own ?? false;
  throw new BuildError('context', '--keep-git-dir and the address say opposite things about .git', {
    hint: 'Keep one of both.',
  });
}

/** A download whose digest is known beforehand is not even asked for before it is needed. */
async function file(url: string, { checksum }: Wanted, remotes: Remotes): Promise<Remote> {
  const name = nameOfUrl(url);
  const digest = checksum === undefined ? undefined : digestOf(checksum);
  const fetch = async (): Promise<Fetched> => ({
    files: [downloadedFile(await remotes.download(url, digest), name)],
  });
  if (digest !== undefined) {
    remotes.expect(url, digest);
    return { key: { http: digest, name }, fetch };
  }
  const now = await remotes.download(url);
  return { key: { http: now.digest, name, mtime: now.mtime }, fetch };
}

function digestOf(checksum: string): Digest {
  if (isDigest(checksum)) return checksum;
  throw new BuildError('context', `"${checksum}" is not a checksum of a file`, {
    about: checksum,
    hint: 'Write --checksum=sha256: and 64 hexadecimal digits in lower case.',
  });
}

function checkChecksum({ sources, heredocs }: CopyInput, checksum: string | undefined): void {
  if (checksum === undefined) return;
  const [source = ''] = sources;
  if (sources.length + heredocs.length !== 1) {
    throw new BuildError('context', '--checksum is of one source, and this ADD has several', {
      hint: 'Write one ADD for each.',
    });
  }
  if (isHttp(source) || parseGitAddress(source) !== undefined) return;
  throw new BuildError('context', '--checksum is for what is fetched over http and git', {
    about: checksum,
    hint: 'A local file is known by its content anyway: leave --checksum away.',
  });
}

interface Ground {
  readonly input: CopyInput;
  readonly remotes: ReadonlyMap<number, Remote>;
  readonly tools: CopyTools & { readonly signal: AbortSignal };
}

async function fetchAndSelect({ input, remotes, tools }: Ground, local: Context): Promise<Selection> {
  const fetched = new Map<number, Fetched>();
  for (const [index, remote] of remotes) fetched.set(index, await whileWanted(remote.fetch(), tools.signal));
  const sources = input.sources.map((source, i) => (fetched.has(i) ? placeOf(fetched.get(i)!, i) : source));
  const context = joinedContext(local, fetched);
  return await selectFiles({ ...input, sources }, { kind: 'context', context }, tools);
}

/** A selection of fetched files only: its first key says what will be fetched, its content is fetched when asked for. */
class LateSelection implements Selection {
  readonly firstKey: Framed;
  readonly independent: boolean;
  readonly unreadBytes = 0;
  readonly #ground: Ground;
  #selected: Promise<Selection> | undefined;
  #list: () => FileList | undefined = () => undefined;

  /** The words alone, without a file, give the part of the key that does not depend on what is fetched. */
  static async of(ground: Ground): Promise<Selection> {
    const context = emptyContext();
    const bare = await selectFiles(
      { ...ground.input, sources: [] },
      { kind: 'context', context },
      ground.tools,
    );
    return new LateSelection(ground, bare);
  }

  private constructor(ground: Ground, { firstKey: words, independent }: Selection) {
    const fetched = [...ground.remotes.values()].map(({ key }) => key);
    this.#ground = ground;
    this.independent = independent;
    this.firstKey = { words, fetched };
  }

  async contentKey(): Promise<Framed> {
    return await (await this.#select()).contentKey();
  }

  list(): FileList | undefined {
    return this.#list();
  }

  async write(below: readonly Layer[], writer: Parameters<Selection['write']>[1]): Promise<Framed> {
    return await (await this.#select()).write(below, writer);
  }

  async #select(): Promise<Selection> {
    this.#selected ??= fetchAndSelect(this.#ground, emptyContext());
    const selected = await this.#selected;
    this.#list = () => selected.list();
    return selected;
  }
}
