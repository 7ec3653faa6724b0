import { BuildError } from '../src/core/errors.ts';
import type { Listing } from '../src/core/types.ts';
import { TarPacker } from './packer.ts';

/**
 * The tar of a layer of our own, made anew from its tree in the order of its listing. A file that is not what the
 * listing says fails by name: the bytes after it could not match the diffId.
 */
export async function* retar(tree: string, listing: Listing): AsyncGenerator<Buffer> {
  const ready: Buffer[] = [];
  const packer = new TarPacker((chunk) => ready.push(Buffer.from(chunk)));
  for (const entry of listing) {
    const pending = packer.add(entry, entry.type === 'file' ? `${tree}/${entry.path}` : undefined);
    const added = await Promise.resolve(pending).catch((error: unknown) => differs(entry.path, error));
    if (added.digest !== entry.digest) differs(entry.path);
    yield* ready.splice(0);
  }
  packer.finish();
  yield* ready;
}

function differs(path: string, cause?: unknown): never {
  throw new BuildError('digest-mismatch', `"${path}" in the store is not what the step that made it left`, {
    cause,
    hint: 'The store was altered from outside: run "tsbuild prune --all" and build again.',
  });
}
