import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { hostPlatform } from '../../src/core/platform.ts';
import type { HeldCopy, Store } from '../../src/core/store.ts';
import type { Layer, Platform } from '../../src/core/types.ts';
import type { Overlay, SandboxPlan, TerminalSize } from '../sandbox/plan.ts';
import { userOf } from '../users.ts';
import { LayeredView } from '../view.ts';
import { makeFolder, plainFolder } from './folder.ts';
import type { RootForm } from './root-form.ts';
import { stackOf } from './stack.ts';

/** A process to run on layers: a plan that does not know yet who its user is and where its root lies. */
export interface WantedProcess extends Omit<SandboxPlan, 'root' | 'process'> {
  readonly process: {
    readonly args: readonly string[];
    readonly env: ReadonlyMap<string, string>;
    readonly cwd: string;
    /** As USER names it; looked up in the image. */
    readonly user: string;
    readonly terminal: false | TerminalSize;
  };
}

interface Around {
  readonly store: Store;
  /** A private folder: the upper directory is made in it. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/**
 * The plan by which a process runs on top of `layers`, as their own user database knows its user. What it writes goes
 * to `root.upper`, or into `copy`, which holds what the layers make together. Without a HOME it gets the user's. Fails with `not-found` on an unknown user.
 */
export async function planProcess(
  layers: readonly Layer[],
  { process, ...rest }: WantedProcess,
  around: Around & { readonly copy?: HeldCopy | undefined },
): Promise<SandboxPlan> {
  const view = LayeredView.of(layers, around.store.layers, around.signal);
  // Unpacking comes first: it tells what the view needs, which would otherwise read the layers by itself.
  const { root, owners } = await planRoot(layers, around);
  const { home, uid, gid, groups } = await userOf(view, around.store.layers, process.user);
  const env = new Map(process.env);
  if (!env.has('HOME')) env.set('HOME', home);
  return {
    ...rest,
    root,
    owners,
    process: {
      args: process.args,
      env: [...env].map(([name, value]) => `${name}=${value}`),
      cwd: process.cwd,
      ...{ uid, gid, groups },
      terminal: process.terminal,
    },
  };
}

type PlannedRoot = Required<Pick<SandboxPlan, 'root' | 'owners'>>;

/**
 * The root that layers make: an overlay whose upper directory is in `scratch`, or `copy`, which holds what they make
 * together.
 */
export async function planRoot(
  layers: readonly Layer[],
  around: Around & { readonly copy?: HeldCopy | undefined },
): Promise<PlannedRoot> {
  const { copy, store, signal } = around;
  if (copy !== undefined) return { root: { folder: copy.path }, owners: copy.owners };
  const root = await overlayOf(layers, LayeredView.of(layers, store.layers, signal), around);
  return { root, owners: root.lower.flatMap((tree) => store.layers.ownersBeside(tree)) };
}

/**
 * Fails with `sandbox` where the programs of an image for `machine` cannot run here. Those for another machine need an
 * emulator; what looks for one is loaded only then.
 */
export async function checkMachine(
  machine: Platform,
  layers: readonly Layer[],
  { store, scratch, signal }: Around,
): Promise<void> {
  const own = hostPlatform();
  if (machine.os === own.os && machine.architecture === own.architecture) return;
  const { checkRuns } = await import('../sandbox/foreign.ts');
  const view = LayeredView.of(layers, store.layers, signal);
  await checkRuns(machine, {
    scratch,
    has: async (path) => (await view.lookup(path.slice(1))) !== undefined,
  });
}

/** A copy that is held until the process has ended, where steps work on copies. */
export async function holdCopy(
  form: RootForm,
  layers: readonly Layer[],
  { store, signal }: Pick<Around, 'store' | 'signal'>,
): Promise<HeldCopy | undefined> {
  if (form === 'overlay') return undefined;
  const root = await LayeredView.of(layers, store.layers, signal).lookup('');
  return await store.copies.hold(layers, { root: root ?? plainFolder, signal });
}

/** The trees below, and an empty upper directory that carries the root's own mode and owner. */
async function overlayOf(
  layers: readonly Layer[],
  view: LayeredView,
  { store, scratch, signal }: Around,
): Promise<Overlay> {
  const trees = await stackOf(layers, { store, signal });
  const root = await view.lookup('');
  const [upper, work, empty] = ['upper', 'work', 'empty'].map((name) => join(scratch, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [work, empty]) mkdirSync(folder, { mode: 0o700 });
  makeFolder(upper, root ?? plainFolder);
  return { lower: trees.length > 0 ? trees : [empty], upper, work };
}
