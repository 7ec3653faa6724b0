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
  try {
    const { digest } = await writer.add(entry, await tree.locate(file));
    tree.remember(file, digest!);
    if (known === undefined || digest === known) return digest!;
  } catch (error) {
    tree.forget();
    throw error;
  }
  tree.forget();
  throw new BuildError('context', `"/${file.entry.path}" of ${tree.name} changed while it was read`, {
    hint: 'try again once nothing writes to it',
    retry: true,
  });
}
