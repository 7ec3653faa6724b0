import type { Digest } from '../../src/core/digest.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { LayerWriter } from '../../src/core/store.ts';
import type { Planned } from './copy-plan.ts';
import type { SourceFile, SourceTree } from './copy-source.ts';

/**
 * Writes planned entries in order. The digest of every file that is read is compared with what was known of it, and
 * remembered.
 */
export async function writePlan(
  entries: readonly Planned[],
  tree: SourceTree,
  writer: LayerWriter,
): Promise<void> {
  const groups = new Map<string, Digest>();
  for (const { entry, content, group } of entries) {
    if (entry.type !== 'file' && typeof content === 'string') await writer.add(entry);
    else if (content === undefined || typeof content === 'string' || Buffer.isBuffer(content))
      await writer.add(entry, content);
    else if (entry.type === 'file') {
      const digest = await writeFile(entry, content, { tree, writer });
      if (group !== undefined) groups.set(group, digest);
    } else {
      await writer.add(entry);
      const digest = entry.type === 'hardlink' ? groups.get(group!) : undefined;
      if (digest !== undefined) tree.remember(content, digest);
    }
  }
}

async function writeFile(
  entry: Planned['entry'],
  file: SourceFile,
  { tree, writer }: { readonly tree: SourceTree; readonly writer: LayerWriter },
): Promise<Digest> {
  const known = tree.recall(file);
  const digest = await digestOfWritten(entry, file, { tree, writer });
  tree.remember(file, digest);
  if (known !== undefined && digest !== known) throw changed(file, tree);
  return digest;
}

async function digestOfWritten(
  entry: Planned['entry'],
  file: SourceFile,
  { tree, writer }: { readonly tree: SourceTree; readonly writer: LayerWriter },
): Promise<Digest> {
  const path = await tree.locate(file);
  try {
    return (await writer.add(entry, path)).digest!;
  } catch (error) {
    throw error instanceof BuildError && error.code === 'context' ? changed(file, tree, error) : error;
  }
}

/** What was seen of the source is forgotten, so that the step can start again. */
function changed(file: SourceFile, tree: SourceTree, cause?: BuildError): BuildError {
  tree.forget();
  return new BuildError('context', `"/${file.entry.path}" of ${tree.name} changed while it was read`, {
    hint: cause?.hint ?? 'try again once nothing writes to it',
    retry: true,
    cause,
  });
}
