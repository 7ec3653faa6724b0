import { join } from 'node:path';
import { BuildError, errnoOf } from '../../src/core/errors.ts';
import { timed } from '../../src/core/spans.ts';
import type { HeldMount } from '../../src/core/store.ts';
import type { Mount, Overlay } from '../sandbox/plan.ts';
import { pathIn } from '../sandbox/step-roots.ts';
import type { Tools } from '../tools.ts';
import { type FolderOwnership, makeFolder } from './folder.ts';
import type { RootForm } from './root-form.ts';
import type { RunCommand } from './run-command.ts';
import type { MountOf, RunMount } from './run-mounts.ts';
import { seedOf, sharedSeed, treesOf } from './run-sources.ts';
import { volumeMount } from './volume-mount.ts';

/** The mounts of one run, held until it ends. */
export interface HeldMounts extends AsyncDisposable {
  readonly mounts: readonly Mount[];
  /** Secrets that are handed over as variables. */
  readonly env: ReadonlyMap<string, string>;
  /** Values of all secrets that the step gets: its output must not show them. */
  readonly secrets: readonly Buffer[];
  /** What the step can do without and was not given, with the flags that give it, in sentences. */
  readonly absent: readonly string[];
}

/** What a RUN says about its mounts and about files that exist only while it runs. */
interface MountedRun {
  readonly mounts: readonly RunMount[];
  readonly command: RunCommand;
  /** Cache mounts are emptied when the build first holds them. */
  readonly freshMounts: boolean;
  /** What bind mounts show: an overlay, or a copy. */
  readonly form: RootForm;
  /** Mounts are moved into the root, so that a cache folder is in one step at a time. */
  readonly moved: boolean;
}

/** What mounts are made with. */
export type MountTools = Pick<
  Tools,
  'store' | 'signal' | 'emit' | 'secret' | 'ssh' | 'shared' | 'cacheMounts'
>;

/** Makes every mount ready: trees unpacked, cache folders held, secrets and scripts in memory. */
export async function holdMounts(
  { mounts, command, freshMounts, form, moved }: MountedRun,
  scratch: string,
  tools: MountTools,
): Promise<HeldMounts> {
  const holding = new Holding({ scratch, fresh: freshMounts, form, moved }, tools);
  try {
    for (const wanted of await inLockOrder(mounts, freshMounts, tools)) {
      await owned(wanted.mount, () => holding.hold(wanted));
    }
    for (const request of mounts) await owned(request, () => holding.add(request));
    for (const { path, content } of command.files) {
      holding.file(path, Buffer.from(content), { mode: 0o755, uid: 0, gid: 0 });
    }
    // Outer ones first, in whatever order they are written: a mount must not hide another.
    holding.mounts.sort((a, b) => (a.target === b.target ? 0 : a.target < b.target ? -1 : 1));
    return holding;
  } catch (error) {
    await holding[Symbol.asyncDispose]();
    throw error;
  }
}

/** A cache mount and the id under which the store keeps it. */
interface WantedCache {
  readonly mount: MountOf<'cache'>;
  readonly id: string;
  readonly seed?: string;
}

/** Every step takes its cache mounts in one order, so that no two of them wait for each other. */
async function inLockOrder(
  mounts: readonly RunMount[],
  fresh: boolean,
  tools: MountTools,
): Promise<WantedCache[]> {
  const wanted: WantedCache[] = [];
  for (const mount of mounts) if (mount.type === 'cache') wanted.push(await wantedCache(mount, fresh, tools));
  return wanted.sort((a, b) => (a.id === b.id ? 0 : a.id < b.id ? -1 : 1));
}

/** Mounts that begin as copies of different files are different mounts. */
async function wantedCache(mount: MountOf<'cache'>, fresh: boolean, tools: MountTools): Promise<WantedCache> {
  const from = mount.source && (await seedOf(mount.source, tools));
  const id = from === undefined ? mount.id : `${mount.id}:${from.digest}`;
  tools.cacheMounts.add(id);
  const seed = (fresh ? undefined : await sharedSeed(id, tools)) ?? from?.path;
  return { mount, id, ...(seed !== undefined && { seed }) };
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

function variableOf(id: string, value: Buffer): string {
  if (!value.includes(0)) return value.toString('utf8');
  throw new BuildError('usage', `the secret "${id}" cannot be a variable: it holds a byte of zero`, {
    hint: 'Mount it as a file: remove env from the mount.',
  });
}

interface HoldingOptions {
  readonly scratch: string;
  readonly fresh: boolean;
  readonly form: RootForm;
  readonly moved: boolean;
}

class Holding implements HeldMounts {
  readonly mounts: Mount[] = [];
  readonly env = new Map<string, string>();
  readonly secrets: Buffer[] = [];
  readonly absent: string[] = [];
  /** Cache folders by their id: one is held once, however often it is mounted. */
  readonly #held = new Map<string, HeldMount>();
  readonly #folders = new Map<RunMount, string>();
  readonly #others: AsyncDisposable[] = [];
  readonly #scratch: string;
  readonly #fresh: boolean;
  readonly #form: RootForm;
  readonly #moved: boolean;
  readonly #tools: MountTools;
  #files = 0;

  constructor({ scratch, fresh, form, moved }: HoldingOptions, tools: MountTools) {
    this.#scratch = scratch;
    this.#fresh = fresh;
    this.#form = form;
    this.#moved = moved;
    this.#tools = tools;
  }

  /** Waits for a cache mount where its sharing says so. */
  async hold({ mount, id, seed }: WantedCache): Promise<void> {
    const { mode, uid, gid } = mount;
    const sharing = this.#moved && mount.sharing === 'shared' ? 'locked' : mount.sharing;
    const options = { sharing, mode, uid, gid, fresh: this.#fresh, ...(seed !== undefined && { seed }) };
    const { emit, signal, store } = this.#tools;
    const hold = () => timed(emit, 'wait', () => store.mounts.hold(id, options, signal));
    const held = this.#held.get(id) ?? (await hold());
    this.#held.set(id, held);
    this.#folders.set(mount, held.path);
  }

  async add(request: RunMount): Promise<void> {
    switch (request.type) {
      case 'bind':
        return await this.#bind(request);
      case 'cache':
        return this.#show(this.#folders.get(request)!, request);
      case 'volume':
        return void this.mounts.push(volumeMount(request, this.#folder('volume'), this.#form));
      case 'tmpfs':
        return this.#tmpfs(request);
      case 'secret':
        return await this.#secret(request);
      case 'ssh':
        return await this.#ssh(request);
    }
  }

  /** A file that only this step sees, and that is on no disk. */
  file(target: string, content: Buffer, { mode, uid, gid }: FolderOwnership): void {
    this.mounts.push({ kind: 'file', content, target, mode, uid, gid });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const other of this.#others.splice(0)) await other[Symbol.asyncDispose]();
    for (const held of this.#held.values()) await held[Symbol.asyncDispose]();
    this.#held.clear();
  }

  #show(source: string, { target, readonly }: { readonly target: string; readonly readonly: boolean }): void {
    this.mounts.push({ kind: 'bind', source, target, readonly, movable: true });
  }

  #folder(name: string): string {
    return this.#rootFolder(name, { mode: 0o700, uid: 0, gid: 0 });
  }

  /** A folder that a step sees as the root of a mount. */
  #rootFolder(name: string, root: FolderOwnership): string {
    const folder = join(this.#scratch, `${name}-${this.#files++}`);
    makeFolder(folder, root);
    return folder;
  }

  async #bind({ source, target, writable }: MountOf<'bind'>): Promise<void> {
    const { lower, layers, path, root } = await treesOf(source, this.#tools);
    if (this.#form === 'copy') {
      const { store, signal } = this.#tools;
      const copy = await store.copies.hold(layers, { root, signal });
      this.#others.push(copy);
      this.#show(join(copy.path, pathIn([copy.path], { path, target })), { target, readonly: !writable });
      return;
    }
    const below = lower.length > 0 ? lower : [this.#rootFolder('empty', root)];
    const tree: Overlay = writable
      ? { lower: below, upper: this.#rootFolder('upper', root), work: this.#folder('work') }
      : { lower: below };
    this.mounts.push({ kind: 'tree', tree, path, target, readonly: !writable });
  }

  #tmpfs({ target, sizeBytes }: MountOf<'tmpfs'>): void {
    this.mounts.push({ kind: 'tmpfs', target, ...(sizeBytes !== undefined && { sizeBytes }) });
  }

  async #secret({ id, target, env, required, ...owner }: MountOf<'secret'>): Promise<void> {
    const value = await this.#tools.secret(id);
    if (value === undefined) {
      const how = `--secret id=${id},src=FILE or --secret id=${id},env=NAME`;
      if (!required) return void this.absent.push(`The secret "${id}" was not given (${how}).`);
      throw new BuildError('not-found', `the secret "${id}" is required and was not given`, {
        hint: `Give it with ${how}.`,
      });
    }
    this.secrets.push(value);
    if (env !== undefined) this.env.set(env, variableOf(id, value));
    if (target !== undefined) this.file(target, value, owner);
  }

  async #ssh({ id, target, required, ...owner }: MountOf<'ssh'>): Promise<void> {
    const agent = await this.#tools.ssh(id);
    if (agent === undefined) {
      const how = `--ssh ${id === 'default' ? id : `${id}=SOCKET`}, or --ssh ${id}=KEYFILE`;
      if (!required) return void this.absent.push(`The ssh agent "${id}" was not given (${how}).`);
      throw new BuildError('not-found', `the ssh agent "${id}" is required and was not given`, {
        hint: `Give it with ${how}.`,
      });
    }
    const { listenForAgent } = await import('./ssh-listener.ts');
    const listener = await listenForAgent(agent, this.#folder('ssh'), owner);
    this.#others.push(listener);
    this.#show(listener.path, { target, readonly: true });
  }
}
