import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Digest, digestOf, keyOf } from '../../../src/core/digest.ts';
import type { FileState, Layers, LayerWriter, Scratch, StatCache } from '../../../src/core/store.ts';
import type { Entry, Layer, Listing } from '../../../src/core/types.ts';

/** Layers that live in memory; a tree is written to a folder when it is asked for. */
export class FakeLayers {
  readonly listings = new Map<Digest, Listing>();
  readonly contents = new Map<string, Buffer>();
  readonly asked: string[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), 'layers-'));

  add(entries: readonly (Entry & { readonly content?: Buffer })[]): Layer {
    const listing = entries.map(({ content, ...entry }) =>
      entry.type === 'file' ? { ...entry, digest: digestOf(content ?? '') } : entry,
    );
    listing.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.type === 'opaque' ? 1 : -1));
    const diffId = keyOf(JSON.stringify(listing));
    this.listings.set(diffId, listing);
    for (const { path, content } of entries)
      if (content !== undefined) this.contents.set(`${diffId}/${path}`, content);
    return { diffId, own: true };
  }

  async listing(layer: Layer): Promise<Listing> {
    this.asked.push(`listing ${layer.diffId}`);
    return this.listings.get(layer.diffId)!;
  }

  async readFile(layer: Layer, path: string): Promise<Buffer> {
    return this.contents.get(`${layer.diffId}/${path}`)!;
  }

  async tree(layer: Layer): Promise<string> {
    this.asked.push(`tree ${layer.diffId}`);
    const root = join(this.folder, layer.diffId.slice(7, 23));
    for (const entry of this.listings.get(layer.diffId)!) {
      const at = join(root, entry.path);
      mkdirSync(entry.type === 'dir' ? at : dirname(at), { recursive: true });
      if (entry.type === 'file') writeFileSync(at, this.contents.get(`${layer.diffId}/${entry.path}`)!);
    }
    return root;
  }

  async writer(): Promise<FakeWriter> {
    return new FakeWriter(this);
  }

  /** As the steps want it. */
  asLayers(): Layers {
    return this as unknown as Layers;
  }
}

/** Keeps what it is given; a file must have the size it says. */
export class FakeWriter implements LayerWriter {
  readonly written: (Entry & { readonly content?: Buffer })[] = [];
  readonly #layers: FakeLayers;

  constructor(layers: FakeLayers) {
    this.#layers = layers;
  }

  async add(entry: Entry, content?: Buffer | string): Promise<Entry> {
    if (entry.type !== 'file') {
      if (content !== undefined) throw new Error(`${entry.path} is no file`);
      this.written.push(entry);
      return entry;
    }
    const bytes = typeof content === 'string' ? readFileSync(content) : content!;
    if (bytes.length !== entry.size)
      throw new Error(`${entry.path}: ${bytes.length} bytes, not ${entry.size}`);
    this.written.push({ ...entry, content: bytes });
    return { ...entry, digest: digestOf(bytes) };
  }

  async commit(): Promise<Layer> {
    return this.#layers.add(this.written);
  }

  async abandon(): Promise<void> {}
}

/** Remembers in memory; `misses` counts what was not known. */
export class FakeStatCache implements StatCache {
  readonly known = new Map<string, { readonly state: string; readonly digest: Digest }>();
  misses = 0;

  digest(path: string, state: FileState): Digest | undefined {
    const known = this.known.get(path);
    if (known?.state === textOf(state)) return known.digest;
    this.misses++;
    return undefined;
  }

  remember(path: string, state: FileState, digest: Digest): void {
    this.known.set(path, { state: textOf(state), digest });
  }

  async save(): Promise<void> {}
}

export async function fakeScratch(): Promise<Scratch> {
  return { path: mkdtempSync(join(tmpdir(), 'scratch-')), [Symbol.asyncDispose]: async () => {} };
}

function textOf({ dev, ino, size, mtimeMs, ctimeMs }: FileState): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(' ');
}
