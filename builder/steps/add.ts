import type { ContextFile } from '../context/context.ts';
import { isFetched } from '../context/joined.ts';
import { openArchive, unpack } from '../context/unpacked.ts';
import { baseOf, join, parentOf } from '../path-resolve.ts';
import { type CopyInput, destinationOf } from './copy-input.ts';
import type { Plan } from './copy-plan.ts';
import type { Item } from './copy-select.ts';
import type { SourceTree } from './copy-source.ts';

/** Where archives lie, and a private folder to unpack one in. */
interface Ground {
  readonly tree: SourceTree;
  readonly scratch: () => Promise<string>;
}

/**
 * Where ADD was given a local tar, or with `--unpack` any, places what it holds into the destination and returns true
 * (containerfile §2). What is in the way gives way; the archive's own root entry changes nothing. `--chown` applies to
 * its entries, but not to directories that they only imply; `--chmod` applies to nothing.
 */
export async function placeArchive(
  input: CopyInput,
  item: Item,
  { plan, ground }: { readonly plan: Plan; readonly ground: Ground },
): Promise<boolean> {
  if (input.kind !== 'add' || item.top.entry.type !== 'file') return false;
  if (!(input.unpack ?? !isFetched(item.top))) return false;
  const archive = await openArchive(await ground.tree.locate(item.top));
  if (archive === undefined) return false;
  const top = await plan.makeDirectory(destinationOf(input).path, 0o755);
  for (const file of await unpack(archive, await ground.scratch())) await placeEntry(file, top, plan);
  return true;
}

/** Links on the way are followed as if the destination were the root; a directory may be a link to one. */
async function placeEntry(file: ContextFile, top: string, plan: Plan): Promise<void> {
  const { path, type } = file.entry;
  if (path === '') return;
  const at = join(await plan.makeImplied(top, parentOf(path)), baseOf(path));
  const isLinked = type === 'dir' && (await plan.lookup(at))?.type === 'symlink';
  await (isLinked ? placeLinked(file, top, plan) : plan.placeOver(at, file));
}

async function placeLinked(file: ContextFile, top: string, plan: Plan): Promise<void> {
  const { path } = await plan.resolveUnder(top, file.entry.path, true);
  if (path === '') return;
  await plan.placeOver(join(await plan.makeImplied(top, parentOf(path)), baseOf(path)), file);
}
