import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../cache/store.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { Layer } from '../../src/core/types.ts';

/**
 * Uses a store as a build does, in a process of its own: fetches and unpacks the layer of `layer.json`, writes one,
 * commits one. Prints what came of it as JSON; a BuildError as `{ code }`.
 */
const [root, mapping, folder] = process.argv.slice(2) as [string, string, string];
const layer = JSON.parse(readFileSync(join(folder, 'layer.json'), 'utf8')) as Layer;

async function* blob(): AsyncGenerator<Buffer> {
  const bytes = readFileSync(join(folder, 'blob'));
  for (let at = 0; at < bytes.length; at += 65_536) {
    yield bytes.subarray(at, at + 65_536);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

try {
  const store = await openStore(root, { mapping, fetch: async () => blob() });
  const tree = await store.layers.tree(layer);
  const writer = await store.layers.writer();
  for (let i = 0; i < 300; i++) {
    const content = Buffer.alloc(10_000, i);
    const entry = {
      path: `f${1000 + i}`,
      type: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: 10_000,
      mtime: 0,
    } as const;
    await writer.add(entry, content);
  }
  const written = await writer.commit();
  const scratch = await store.scratch();
  const upper = join(scratch.path, 'upper');
  mkdirSync(upper);
  for (let i = 0; i < 300; i++) writeFileSync(join(upper, `u${i}`), Buffer.alloc(5000, i));
  const committed = await store.layers.commitUpper(upper, { residue: [], below: [] });
  await scratch[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  console.log(JSON.stringify({ tree, written: written.diffId, size: committed.diffId.length }));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message }));
}
process.exit(0);
