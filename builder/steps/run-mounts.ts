import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MountRequest } from '../../src/containerfile/mount.ts';
import { type Framed, keyOf } from '../../src/core/digest.ts';
import { BuildError, errnoOf } from '../../src/core/errors.ts';
import type { HeldMount } from '../../src/core/store.ts';
import type { Layer, Snapshot } from '../../src/core/types.ts';
import type { Mount, Overlay } from '../sandbox/plan.ts';
import type { Tools } from '../tools.ts';
import { LayeredView } from '../view.ts';
import type { Selection } from './copy.ts';
import type { RunCommand } from './run-command.ts';
import { stackOf } from './stack.ts';

/** Where a bind mount, or a new cache mount, gets its files from. */
export interface MountSource {
  /** What is read, as COPY would select it to `/source`. */
  readonly reads: Selection;
  /** A stage or image whose own trees are mounted; without it the files are laid out anew (a context). */
  readonly snapshot?: Snapshot;
  readonly path: string;
}

/** One `--mount` with its values expanded and its target absolute. */
export type RunMount =
  | {
      readonly type: 'bind';
      readonly target: string;
      readonly writable: boolean;
      readonly source: MountSource;
    }
  | (Omit<Extract<MountRequest, { type: 'cache' }>, 'from' | 'source'> & { readonly source?: MountSource })
  | Extract<MountRequest, { type: 'tmpfs' } | { type: 'secret' }>;

/** What of a mount the step's key holds: never a secret's value nor what a cache mount contains. */
export function keyOfMount(mount: RunMount): Framed {
  switch (mount.type) {
    case 'bind':
      return [mount.type, mount.target, mount.writable];
    case 'cache':
      return [mount.type, mount.target, mount.readonly];
    case 'tmpfs':
      return [mount.type, mount.target, mount.sizeBytes];
    case 'secret':
      return [mount.type, mount.id, mount.target, mount.env, mount.mode, mount.uid, mount.gid];
  }
}

/** The mounts of one run, held until it ends. */
export interface HeldMounts extends AsyncDisposable {
  readonly mounts: readonly Mount[];
  /** Secrets that are handed over as variables. */
  readonly env: ReadonlyMap<string, string>;
}

/** What a RUN says about its mounts and about files that exist only while it runs. */
interface MountedRun {
  readonly mounts: readonly RunMount[];
  readonly command: RunCommand;
  /** Cache mounts are emptied when the build first holds them. */
  readonly freshMounts: boolean;
}

/** Makes every mount ready: trees unpacked, cache folders held, secrets and scripts in private files. */
export async function holdMounts(
  { mounts, command, freshMounts }: MountedRun,
  scratch: string,
  tools: Tools,
): Promise<HeldMounts> {
  const holding = new Holding({ scratch, fresh: freshMounts }, tools);
  try {
    for (const request of inLockOrder(mounts)) await owned(request, () => holding.hold(request));
    for (const request of mounts) await owned(request, () => holding.add(request));
    for (const { path, content } of command.files) {
      holding.file(path, Buffer.from(content), { mode: 0o755, uid: 0, gid: 0 });
    }
    return holding;
  } catch (error) {
    await holding[Symbol.asyncDispose]();
    throw error;
  }
}

type CacheMount = Extract<RunMount, { type: 'cache' }>;

/** Every step takes its cache mounts in one order, so that no two of them wait for each other; an id is taken once. */
function inLockOrder(mounts: readonly RunMount[]): CacheMount[] {
  const byId = new Map<string, CacheMount>();
  for (const mount of mounts) if (mount.type === 'cache' && !byId.has(mount.id)) byId.set(mount.id, mount);
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** An id that this user namespace does not know cannot own what is mounted. */
async function owned(request: RunMount, make: () => Promise<void>): Promise<void> {
  try {
    await make();
  } catch (error) {
    if (errnoOf(error) !== 'EINVAL' || !('uid' in request)) throw error;
    const { type, uid, gid } = request;
    throw new BuildError(
      'sandbox',
      `a ${type} mount belongs to ${uid}:${gid}: an id that is not mapped here`,
      {
        cause: error,
        hint: 'Give yourself a larger range in /etc/subuid and /etc/subgid, or build as root.',
      },
    );
  }
}

class Holding implements HeldMounts {
  readonly mounts: Mount[] = [];
  readonly env = new Map<string, string>();
  readonly #held = new Map<string, HeldMount>();
  readonly #scratch: string;
  readonly #fresh: boolean;
  readonly #tools: Tools;
  #files = 0;

  constructor({ scratch, fresh }: { readonly scratch: string; readonly fresh: boolean }, tools: Tools) {
    this.#scratch = scratch;
    this.#fresh = fresh;
    this.#tools = tools;
  }

  async add(request: RunMount): Promise<void> {
    if (request.type === 'bind') await this.#bind(request);
    else if (request.type === 'cache') this.#cache(request);
    else if (request.type === 'secret') await this.#secret(request);
    else {
      const { target, sizeBytes } = request;
      this.mounts.push({ kind: 'tmpfs', target, ...(sizeBytes !== undefined && { sizeBytes }) });
    }
  }

  /** A file that only this step sees; the folder around it is private to us. */
  file(
    target: string,
    content: Buffer,
    owner: { readonly mode: number; readonly uid: number; readonly gid: number },
  ): void {
    const source = join(this.#folder('files'), String(this.#files));
    writeFileSync(source, content, { mode: 0o600 });
    if (owner.uid !== 0 || owner.gid !== 0) chownSync(source, owner.uid, owner.gid);
    chmodSync(source, owner.mode);
    this.mounts.push({ kind: 'bind', source, target, readonly: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const held of this.#held.values()) await held[Symbol.asyncDispose]();
    this.#held.clear();
  }

  #folder(name: string): string {
    const folder = join(this.#scratch, `${name}-${this.#files++}`);
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  }

  async #bind({ source, target, writable }: Extract<RunMount, { type: 'bind' }>): Promise<void> {
    const { lower, path } = await treesOf(source, this.#tools);
    const tree: Overlay = writable
      ? { lower, upper: this.#folder('upper'), work: this.#folder('work') }
      : { lower };
    this.mounts.push({ kind: 'tree', tree, path, target, readonly: !writable });
  }

  #cache({ id, target, readonly }: CacheMount): void {
    this.mounts.push({ kind: 'bind', source: this.#held.get(id)!.path, target, readonly });
  }

  /** Waits for a cache mount where its sharing says so. */
  async hold({ id, sharing, mode, uid, gid, source }: CacheMount): Promise<void> {
    const seed = source === undefined ? undefined : await seedOf(source, this.#tools);
    const held = await this.#tools.store.mounts.hold(
      id,
      { sharing, mode, uid, gid, fresh: this.#fresh, ...(seed !== undefined && { seed }) },
      this.#tools.signal,
    );
    this.#held.set(id, held);
  }

  async #secret({
    id,
    target,
    env,
    required,
    mode,
    uid,
    gid,
  }: Extract<RunMount, { type: 'secret' }>): Promise<void> {
    const value = await this.#tools.secret(id);
    if (value === undefined) {
      if (!required) return;
      throw new BuildError('not-found', `the secret "${id}" is required and was not given`, {
        hint: `Give it with --secret id=${id},src=FILE or --secret id=${id},env=NAME.`,
      });
    }
    if (env !== undefined) this.env.set(env, value.toString('utf8'));
    if (target !== undefined) this.file(target, value, { mode, uid, gid });
  }
}

/** The name under which files of a context are laid out for a mount. */
export const LAID_OUT = 'source';

async function treesOf(
  { snapshot, path, reads }: MountSource,
  tools: Tools,
): Promise<{ lower: string[]; path: string }> {
  const { layers } = tools.store;
  if (snapshot === undefined)
    return { lower: [await layers.tree(await layOut(reads, tools))], path: LAID_OUT };
  const view = LayeredView.of(snapshot.layers, layers, tools.signal);
  return {
    lower: await stackOf(snapshot.layers, tools),
    path: (await view.resolve(path, { followLast: true })).path,
  };
}

async function seedOf(source: MountSource, tools: Tools): Promise<string> {
  return join(await tools.store.layers.tree(await layOut(source.reads, tools)), LAID_OUT);
}

/** A layer that holds just the selected files; made once for the same content. */
async function layOut(reads: Selection, tools: Tools): Promise<Layer> {
  const ingredients = { step: 'mount', content: await reads.contentKey() };
  const known = tools.store.records
    .find(keyOf(ingredients))
    .find(({ layer }) => tools.store.layers.isAtHand(layer));
  if (known !== undefined) return known.layer;
  const writer = await tools.store.layers.writer();
  try {
    await reads.write([], writer);
    const layer = await writer.commit();
    await tools.store.records.put(
      keyOf(ingredients),
      { layer, created: new Date().toISOString() },
      ingredients,
    );
    return layer;
  } finally {
    await writer.abandon();
  }
}
