import { BuildError } from '../../src/core/errors.ts';
import type { Layer } from '../../src/core/types.ts';
import { join, parentOf } from '../path-resolve.ts';
import { isNumericOwner, ownerOf } from '../users.ts';
import { LayeredView } from '../view.ts';
import { placeArchive } from './add.ts';
import { type CopyInput, type CopyTools, destinationOf } from './copy-input.ts';
import { keepModes, parseMode } from './copy-mode.ts';
import { type Dress, Plan } from './copy-plan.ts';
import type { Item } from './copy-select.ts';
import type { SourceTree } from './copy-source.ts';

/** What a COPY stands on and takes from. */
export interface Ground {
  /** Layers that the destination's links, directories and users are looked up in. */
  readonly below: readonly Layer[];
  readonly items: readonly Item[];
  readonly tree: SourceTree;
  readonly tools: CopyTools;
  /** A private folder for unpacked archives, made when it is asked for. */
  readonly scratch: () => Promise<string>;
}

/** Decides where every chosen file goes (containerfile §2). Fails with `context` where something is in the way. */
export async function place(input: CopyInput, ground: Ground): Promise<Plan> {
  const { store, signal } = ground.tools;
  const view = LayeredView.of(ground.below, store.layers, signal);
  const plan = new Plan(view, await dressOf(input, view, ground.tools));
  const targets = new Targets(input, plan, ground.tools);
  for (const [index, item] of ground.items.entries()) {
    if (item.top.entry.type === 'dir') await placeContents(input, { item, index, plan });
    else if (!(await placeArchive(input, item, { plan, ground }))) {
      await plan.placeFile(await targets.of(item.name), item.top, index);
    }
  }
  for (const { name, content } of input.heredocs) {
    await plan.placeBytes(await targets.of(name), Buffer.from(content));
  }
  return plan;
}

/** The contents of a directory go into the destination; the directory's own attributes are not taken. */
async function placeContents(
  input: CopyInput,
  { item, index, plan }: { readonly item: Item; readonly index: number; readonly plan: Plan },
): Promise<void> {
  const top = await plan.makeDirectory(destinationOf(input).path);
  if (item.top.entry.path !== '') plan.takeTime(top, item.top);
  for (const { path, file, asParent } of item.below) {
    const at = join(top, path);
    if (asParent) await plan.placeParent(at, file);
    else if (file.entry.type === 'dir') await plan.placeDirectory(at, file);
    else await plan.placeFile(at, file, index);
  }
}

/** Where single files go: into the destination when that is a directory or is said to be one. */
class Targets {
  readonly #input: CopyInput;
  readonly #plan: Plan;
  readonly #tools: CopyTools;
  /** The file that came to be the destination itself. */
  #last: string | undefined;

  constructor(input: CopyInput, plan: Plan, tools: CopyTools) {
    this.#input = input;
    this.#plan = plan;
    this.#tools = tools;
  }

  async of(name: string): Promise<string> {
    const { path, isDirectory } = destinationOf(this.#input);
    if (isDirectory) return join(await this.#plan.makeDirectory(path), name);
    const resolved = await this.#plan.resolve(path);
    if (resolved.entry?.type === 'dir') return join(resolved.path, name);
    if (this.#last !== undefined) this.#warnReplaced(name, path);
    this.#last = name;
    await this.#plan.makeDirectory(parentOf(resolved.path));
    return resolved.path;
  }

  #warnReplaced(name: string, path: string): void {
    this.#tools.emit({
      type: 'note',
      level: 'warning',
      text: `"${name}" replaces "${this.#last}": both are copied to the one file /${path}`,
      hint: `End the destination with a slash to make it a directory: "${this.#input.destination}/".`,
    });
  }
}

async function dressOf(input: CopyInput, view: LayeredView, tools: CopyTools): Promise<Dress> {
  const mode = input.chmod === undefined ? keepModes : parseMode(input.chmod);
  const now = Math.floor(Date.now() / 1000);
  if (input.chown === undefined) return { owner: undefined, mode, now };
  if (input.link && input.chmod === undefined && !isNumericOwner(input.chown)) {
    throw new BuildError(
      'context',
      `--chown=${input.chown} cannot be looked up: --link does not see the image`,
      {
        hint: 'Give numbers, or leave --link out.',
      },
    );
  }
  const { uid, gid, unknown } = await ownerOf(view, tools.store.layers, input.chown);
  for (const name of unknown) warnUnknown(name, tools);
  return { owner: { uid, gid }, mode, now };
}

/** Says that a name has no effect because the image does not know it. */
export function warnUnknown(name: string, { emit }: Pick<CopyTools, 'emit'>): void {
  emit({
    type: 'note',
    level: 'warning',
    rule: 'UnknownOwner',
    text: `"${name}" is not known in the image: no file will belong to it`,
    hint: `Create it in an earlier RUN, or give its number.`,
  });
}
