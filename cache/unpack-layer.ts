import type { Digest } from '../src/core/digest.ts';
import { BuildError } from '../src/core/errors.ts';
import type { Layer } from '../src/core/types.ts';
import { damaged, isIntact } from './blobs.ts';
import { checkDiffId, type Downloads, download, unpackFile } from './download.ts';
import { guarded } from './faults.ts';
import { removeTree } from './scratch.ts';
import type { Unpacked } from './unpack-worker.ts';
import { atWork } from './workers.ts';

/** A file of the store that holds a layer. */
interface StoredForm {
  readonly path: string;
  readonly digest: Digest;
}

interface Unpacking {
  readonly from: Downloads;
  /** Where its files go; without it only what they are is found out. */
  readonly tree?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks a layer from a file of the store, or as it is downloaded where there is none. Fails with `layer`, which names it, and
 * as downloads do.
 */
export async function unpackLayer(
  layer: Layer,
  form: StoredForm | undefined,
  how: Unpacking,
): Promise<Unpacked> {
  const tree = how.tree === undefined ? {} : { tree: how.tree };
  try {
    return await atWork(() =>
      guarded(() =>
        form === undefined ? download(how.from, layer, tree, how.signal) : unpackStored(layer, form, how),
      ),
    );
  } catch (error) {
    throw named(error, layer);
  }
}

/** A stored blob that does not unpack to what it should is looked at: a damaged one is taken out of the store. */
async function unpackStored(layer: Layer, form: StoredForm, how: Unpacking): Promise<Unpacked> {
  const { home } = how.from;
  try {
    const unpacked = await unpackFile(home, { file: form.path, tree: how.tree }, how.signal);
    checkDiffId(layer, unpacked.diffId);
    return unpacked;
  } catch (error) {
    if (how.tree !== undefined) removeTree(how.tree);
    if (error instanceof BuildError && !(await isIntact(form))) throw damaged(home, form.digest);
    throw error;
  }
}

/** What is wrong with a tar says nothing of which layer it is. */
function named(error: unknown, { diffId }: Layer): unknown {
  if (!(error instanceof BuildError) || error.code !== 'layer' || error.message.includes(diffId))
    return error;
  const hint = error.hint ?? 'Whoever made the image has to make it again, or it was damaged on its way.';
  return new BuildError('layer', `layer ${diffId} cannot be read: ${error.message}`, { cause: error, hint });
}
