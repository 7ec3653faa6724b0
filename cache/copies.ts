import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import type { PathOwner } from '../src/core/owner.ts';
import type { Copies, CopyOptions, HeldCopy, Layers } from '../src/core/store.ts';
import type { Layer } from '../src/core/types.ts';
import { statOf } from './copy-layer.ts';
import type { CopyJob } from './copy-worker.ts';
import { guarded } from './faults.ts';
import type { Home } from './home.ts';
import { discard } from './scratch.ts';
import { start } from './workers.ts';

/** A folder that holds the first `laid` of its layers. */
interface Folder {
  readonly path: string;
  readonly layers: readonly Layer[];
  readonly laid: number;
}

/**
 * Full copies of what layers make together, for steps that can have no overlay. A copy that a step has used is kept
 * while the store is open: once the step's own layer is laid over it, it is what the next step of the stage needs.
 */
export function openCopies(home: Home, layers: Layers): Copies {
  const idle: Folder[] = [];
  return {
    hold: (wanted, options) =>
      guarded(async () => {
        const folder = takeNearest(idle, wanted) ?? newFolder(home);
        const held = new Held(home, { folder, wanted, idle });
        try {
          await held.prepare(layers, options);
          return held;
        } catch (error) {
          await held[Symbol.asyncDispose]();
          throw error;
        }
      }),
  };
}

/** The copy that holds most of what is wanted, and nothing else. */
function takeNearest(idle: Folder[], wanted: readonly Layer[]): Folder | undefined {
  const fitting = idle.filter(({ layers }) => layers.every((one, i) => one.diffId === wanted[i]?.diffId));
  const [nearest] = fitting.sort((a, b) => b.laid - a.laid);
  if (nearest !== undefined) idle.splice(idle.indexOf(nearest), 1);
  return nearest;
}

function newFolder(home: Home): Folder {
  const path = home.temp();
  mkdirSync(path, { mode: 0o755 });
  return { path, layers: [], laid: 0 };
}

interface Holding {
  readonly folder: Folder;
  readonly wanted: readonly Layer[];
  readonly idle: Folder[];
}

class Held implements HeldCopy {
  readonly path: string;
  readonly #home: Home;
  readonly #holding: Holding;
  #own: Layer | undefined;
  #owners: readonly PathOwner[] = [];
  /** Bottom first. */
  #trees: readonly string[] = [];

  constructor(home: Home, holding: Holding) {
    this.path = holding.folder.path;
    this.#home = home;
    this.#holding = holding;
  }

  async prepare(layers: Layers, { root, signal }: CopyOptions): Promise<void> {
    const { folder, wanted } = this.#holding;
    const all = await Promise.all(
      wanted.map(async (layer) => ({
        tree: await layers.tree(layer, signal),
        implied: await layers.implied(layer, signal),
      })),
    );
    this.#trees = all.map(({ tree }) => tree);
    const lay = all.slice(folder.laid);
    chownSync(this.path, root.uid, root.gid);
    chmodSync(this.path, root.mode);
    await this.#run({ lay, folder: this.path, snapshot: this.#snapshot }, signal);
    this.#owners = ownersIn(this.path, this.#trees, layers);
  }

  get owners(): readonly PathOwner[] {
    return this.#owners;
  }

  get trees(): readonly string[] {
    return this.#trees.toReversed();
  }

  async moveChanges(
    upper: string,
    { touched, signal }: { readonly touched: readonly string[]; readonly signal?: AbortSignal },
  ): Promise<void> {
    const [folder, snapshot, trees] = [this.path, this.#snapshot, this.#trees];
    await guarded(() => this.#run({ upper, folder, snapshot, trees, touched }, signal));
  }

  becomes(layer: Layer): void {
    this.#own = layer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { folder, wanted, idle } = this.#holding;
    if (this.#own === undefined) discard(this.#home.tmp, folder.path);
    else idle.push({ path: folder.path, layers: [...wanted, this.#own], laid: wanted.length });
  }

  get #snapshot(): string {
    return `${this.path}.snapshot`;
  }

  #run(job: CopyJob, signal: AbortSignal | undefined): Promise<void> {
    return start<void>('copy-worker', job, { warn: this.#home.warn, signal }).result;
  }
}

/** What is recorded beside the trees (bottom first), for those files that came from them into the copy. */
function ownersIn(folder: string, trees: readonly string[], layers: Layers): PathOwner[] {
  return trees.flatMap((tree, at) =>
    layers.ownersBeside(tree).flatMap(({ path, owner }) => {
      const inner = path.slice(tree.length + 1);
      const isThere = (root: string): boolean => statOf(`${root}/${inner}`) !== undefined;
      const isCovered = trees.slice(at + 1).some(isThere);
      return isCovered || !isThere(folder) ? [] : [{ path: `${folder}/${inner}`, owner }];
    }),
  );
}
