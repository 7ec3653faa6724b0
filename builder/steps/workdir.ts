import type { LayerWriter } from '../../src/core/store.ts';
import type { Layer } from '../../src/core/types.ts';
import { cleanPath } from '../path-resolve.ts';
import { ownerOf } from '../users.ts';
import { LayeredView } from '../view.ts';
import type { CopyTools } from './copy-input.ts';
import { keepModes } from './copy-mode.ts';
import { warnUnknown } from './copy-place.ts';
import { Plan } from './copy-plan.ts';

/** An absolute WORKDIR, and the USER in effect ('' for none). */
export interface WorkdirInput {
  readonly path: string;
  readonly user: string;
}

/**
 * Makes the working directory and those above it where they are missing: 0755, owned by USER, links followed inside
 * the root (containerfile §2). Nothing is written where all of it exists. Fails with `context` where a file is in the
 * way. The caller commits or abandons the writer.
 */
export async function writeWorkdir(
  { path, user }: WorkdirInput,
  below: readonly Layer[],
  { writer, tools }: { readonly writer: LayerWriter; readonly tools: CopyTools },
): Promise<void> {
  const { layers } = tools.store;
  const view = LayeredView.of(below, layers, tools.signal);
  const { uid, gid, unknown } = await ownerOf(view, layers, user);
  for (const name of unknown) warnUnknown(name, tools);
  const plan = new Plan(view, { owner: { uid, gid }, mode: keepModes, now: Math.floor(Date.now() / 1000) });
  await plan.makeDirectory(cleanPath(path));
  for (const { entry } of await plan.entries()) await writer.add(entry);
}
