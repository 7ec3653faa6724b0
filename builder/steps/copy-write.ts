import type { Digest } from '../../src/core/digest.ts';
import { BuildError, errnoOf } from '../../src/core/errors.ts';
import type { LayerWriter } from '../../src/core/store.ts';
import type { SourceFile, SourceTree } from './copy-source.ts';
import type { Planned } from './planned.ts';

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
      const pending = writeFile(entry, content, { tree, writer });
      const digest = pending instanceof Promise ? await pending : pending;
      if (group !== undefined) groups.set(group, digest);
    } else {
      await writer.add(entry);
      const digest = entry.type === 'hardlink' ? groups.get(group!) : undefined;
      if (digest !== undefined) tree.remember(content, digest);
    }
  }
}

/** At once where the writer is: a promise per file costs more than a small file. */
function writeFile(
  entry: Planned['entry'],
  file: SourceFile,
  { tree, writer }: { readonly tree: SourceTree; readonly writer: LayerWriter },
): Digest | Promise<Digest> {
  const known = tree.recall(file);
  const note = ({ digest }: Planned['entry']): Digest => {
    tree.remember(file, digest!);
    if (known !== undefined && digest !== known) throw changed(file, tree);
    return digest!;
  };
  const added = add(entry, file, { tree, writer });
  return added instanceof Promise ? added.then(note) : note(added);
}

function add(
  entry: Planned['entry'],
  file: SourceFile,
  { tree, writer }: { readonly tree: SourceTree; readonly writer: LayerWriter },
): Planned['entry'] | Promise<Planned['entry']> {
  const failed = (error: unknown): never => {
    if (!(error instanceof BuildError && error.code === 'context')) throw error;
    throw error.retry ? changed(file, tree, error) : unreadable(file, tree, error);
  };
  const write = (path: string) => {
    const added = writer.add(entry, path);
    return added instanceof Promise ? added.catch(failed) : added;
  };
  const path = tree.locate(file);
  return path instanceof Promise ? path.then(write) : write(path);
}

/** The writer knows the file by the name it gets; here it has the one that the person knows. */
function unreadable({ entry }: SourceFile, tree: SourceTree, { hint, cause }: BuildError): BuildError {
  const code = errnoOf(cause);
  return new BuildError(
    'context',
    `"/${entry.path}" of ${tree.name} cannot be read${code ? ` (${code})` : ''}`,
    {
      cause,
      ...(hint !== undefined && { hint }),
    },
  );
}

/** What was seen of the source is forgotten, so that the step can start again. */
function changed(file: SourceFile, tree: SourceTree, cause?: BuildError): BuildError {
  tree.forget();
  return new BuildError('context', `"/${file.entry.path}" of ${tree.name} changed while it was read`, {
    hint: cause?.hint ?? 'Try again once nothing writes to it.',
    retry: true,
    cause,
  });
}
