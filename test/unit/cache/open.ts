import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type OpenStore, openStore } from '../../../cache/store.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { BuildError } from '../../../src/core/errors.ts';
import type { Entry, Layer } from '../../../src/core/types.ts';
import { headerOf, paddingOf, trailer } from '../../../src/oci/tar-write.ts';

/** A store in a folder of its own, with a registry made of a map. */
export interface Bench extends AsyncDisposable {
  readonly root: string;
  readonly store: OpenStore;
  readonly warnings: string[];
  /** How often a layer was fetched. */
  readonly fetched: () => number;
  /** Offers a tar as a gzipped layer of a registry. */
  offer(tar: Buffer): Layer;
  reopen(mapping?: string): Promise<OpenStore>;
}

export async function bench(): Promise<Bench> {
  const root = mkdtempSync(join(tmpdir(), 'cache-'));
  const registry = new Map<string, Buffer>();
  const warnings: string[] = [];
  const opened: OpenStore[] = [];
  let count = 0;
  const reopen = async (mapping = 'root'): Promise<OpenStore> => {
    const store = await openStore(join(root, 'store'), {
      mapping,
      onWarning: (text) => warnings.push(text),
      async fetch(_origins, descriptor) {
        const bytes = registry.get(descriptor.digest);
        if (bytes === undefined) throw new BuildError('not-found', `no blob ${descriptor.digest}`);
        count++;
        return inPieces(bytes);
      },
    });
    opened.push(store);
    return store;
  };
  return {
    root,
    store: await reopen(),
    warnings,
    fetched: () => count,
    offer(tar) {
      const blob = gzipSync(tar);
      const digest = digestOf(blob);
      registry.set(digest, blob);
      const descriptor = {
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest,
        size: blob.length,
      };
      return { diffId: digestOf(tar), own: false, descriptor, origins: [{ host: 'test', repository: 'r' }] };
    },
    reopen,
    async [Symbol.asyncDispose]() {
      for (const store of opened) await store[Symbol.asyncDispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

type Given = Partial<Entry> & Pick<Entry, 'path' | 'type'> & { readonly content?: string };

export function tarOf(entries: readonly Given[]): Buffer {
  const parts = entries.flatMap((given) => {
    const { content = '', ...rest } = given;
    const bytes = Buffer.from(content);
    const entry: Entry = {
      mode: rest.type === 'dir' ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      mtime: 1_000_000,
      ...rest,
      size: bytes.length,
    };
    return [headerOf(entry), bytes, paddingOf(bytes.length)];
  });
  return Buffer.concat([...parts, trailer]);
}
