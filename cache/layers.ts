import { existsSync } from 'node:fs';
import { type Digest, hexOf } from '../src/core/digest.ts';
import type { PathOwner } from '../src/core/owner.ts';
import type { Blobs, CommitOptions, FetchBlob, Layers, LayerWriter } from '../src/core/store.ts';
import type { Descriptor, Layer, Listing, Origin, Packing } from '../src/core/types.ts';
import { inflate } from '../src/oci/inflate.ts';
import { encodeListing, impliedDirectories } from '../src/oci/listing.ts';
import { clampTar } from '../src/oci/tar-clamp.ts';
import { BlobWriter, readBlob } from './blobs.ts';
import { clampLayer, clampListing } from './clamped.ts';
import { type Packed, packFolder } from './commit.ts';
import { checkDiffId, checkedTar, type Downloads, fetchLayer, unpackFile } from './download.ts';
import { Facts } from './facts.ts';
import { guarded } from './faults.ts';
import { fileFromTar, fileFromTree, isAccountFile, regularFile } from './file-of.ts';
import type { Home } from './home.ts';
import { openLayerWriter } from './layer-writer.ts';
import { Listings } from './listings.ts';
import { lock } from './lock.ts';
import { gone, PackedForms } from './packed-forms.ts';
import { retar } from './retar.ts';
import { Trees } from './trees.ts';
import { unpackLayer } from './unpack-layer.ts';
import type { Unpacked } from './unpack-worker.ts';
import { dropResidue, dropSockets, entriesOfUpper, isSmall, type Upper } from './upper.ts';
import { atWork, start } from './workers.ts';

/** The forms of a layer from which its tar can be had without a registry, cheapest first. */
type Form =
  | { readonly kind: 'file'; readonly path: string; readonly digest: Digest }
  | { readonly kind: 'tree'; readonly path: string }
  | { readonly kind: 'base'; readonly layer: Layer; readonly epoch: number };

/** A conversion that is under way. */
interface Running<T> {
  readonly result: Promise<T>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Layers and the conversions between their forms: blob → tar → tree and listing; tree → tar for layers of our own.
 * Every conversion is made at most once at a time in this process, and a tree once among all processes.
 */
export class LayerStore implements Layers {
  readonly lost = new Set<Digest>();
  readonly #home: Home;
  readonly #blobs: Blobs;
  readonly #facts: Facts;
  readonly #listings: Listings;
  readonly #trees: Trees;
  readonly #from: Downloads;
  readonly #packed: PackedForms;
  readonly #running = new Map<string, Running<unknown>>();

  constructor(home: Home, blobs: Blobs, fetch: FetchBlob) {
    this.#home = home;
    this.#blobs = blobs;
    this.#facts = new Facts(home);
    this.#listings = new Listings(home);
    this.#trees = new Trees(home);
    this.#from = { home, facts: this.#facts, fetch, lost: this.lost };
    this.#packed = new PackedForms({
      from: this.#from,
      blobs,
      tarOf: (layer, signal) => this.tar(layer, signal),
      isAtHand: (layer) => this.isAtHand(layer),
      once: (name, task, signal) => this.#once(name, task, signal),
    });
  }

  async listing(layer: Layer, signal?: AbortSignal): Promise<Listing> {
    const known = this.#listings.find(layer.diffId);
    if (known !== undefined) return known;
    return this.#once(`listing ${layer.diffId}`, () => this.#makeListing(layer, signal), signal);
  }

  knownListing(diffId: Digest): Listing | undefined {
    return this.#listings.find(diffId);
  }

  async tree(layer: Layer, signal?: AbortSignal): Promise<string> {
    const known = this.#findTree(layer);
    if (known !== undefined) return known;
    return this.#once(`tree ${layer.diffId}`, () => this.#lockedTree(layer, signal), signal);
  }

  async #lockedTree(layer: Layer, signal?: AbortSignal): Promise<string> {
    const held = await lock(this.#home.path('locks', `layer-${hexOf(layer.diffId)}`), 'exclusive', signal);
    try {
      return this.#findTree(layer) ?? (await this.#makeTree(layer, signal));
    } finally {
      held.release();
    }
  }

  ownersBeside(tree: string): readonly PathOwner[] {
    return this.#trees.ownersBeside(tree);
  }

  async implied(layer: Layer, signal?: AbortSignal): Promise<readonly string[]> {
    if (layer.own) return [];
    const known = this.#facts.implied(layer.diffId);
    if (known !== undefined) return known;
    const paths = impliedDirectories(await this.listing(layer, signal));
    this.#facts.setImplied(layer.diffId, paths);
    return paths;
  }

  async readFile(layer: Layer, path: string, signal?: AbortSignal): Promise<Buffer> {
    const entry = regularFile(await this.listing(layer, signal), path);
    const kept = this.#accountFile(layer.diffId, entry.path);
    const known = isAccountFile(entry.path) && existsSync(kept) ? this.#home.readChecked(kept) : undefined;
    if (known !== undefined) return known;
    const tree = this.#findTree(layer);
    if (tree !== undefined) return fileFromTree(tree, entry);
    return fileFromTar(
      this.#form(layer) === undefined ? this.#fetchedTar(layer, signal) : this.tar(layer, signal),
      entry,
    );
  }

  tar(layer: Layer, signal?: AbortSignal): AsyncIterable<Buffer> {
    return checkedTar(layer, this.#tarOf(layer, signal));
  }

  packed(...args: Parameters<Layers['packed']>): ReturnType<Layers['packed']> {
    return this.#packed.file(...args);
  }

  outgoing(...args: Parameters<Layers['outgoing']>): ReturnType<Layers['outgoing']> {
    return this.#packed.outgoing(...args);
  }

  descriptor(layer: Layer, packing: Packing | 'any'): Descriptor | undefined {
    return this.#packed.descriptor(layer, packing);
  }

  async atHand(layer: Layer, signal?: AbortSignal): Promise<void> {
    if (this.isAtHand(layer)) return;
    if (layer.descriptor === undefined) gone(layer);
    const { descriptor } = layer;
    await this.#once(`blob ${layer.diffId}`, () => this.#packed.fetch(layer, descriptor, signal), signal);
  }

  isAtHand(layer: Layer): boolean {
    return this.#form(layer) !== undefined;
  }

  async writer(): Promise<LayerWriter> {
    return guarded(async () =>
      openLayerWriter({ home: this.#home, facts: this.#facts, listings: this.#listings }),
    );
  }

  async commitUpper(upper: string, options: CommitOptions): Promise<Layer> {
    return guarded(async () => {
      dropResidue(upper, options);
      if (options.lower !== undefined) dropSockets(upper);
      const root = options.below.find(({ path }) => path === '');
      const packed = await this.#packUpper({
        folder: upper,
        root,
        lower: options.lower,
        owners: options.recorded,
      });
      const listing = this.#learn(packed);
      this.#trees.keep(packed.diffId, upper, { listing, own: true });
      return { diffId: packed.diffId, own: true };
    });
  }

  async clamp(layer: Layer, epoch: number): Promise<Layer> {
    if (!layer.own) return layer;
    const known = this.#facts.clamped(layer.diffId, epoch);
    if (known !== undefined) return { diffId: known, own: true };
    return this.#once(`clamp ${epoch} ${layer.diffId}`, () => guarded(() => this.#makeClamped(layer, epoch)));
  }

  async addOrigin(descriptor: Descriptor, origin: Origin): Promise<void> {
    this.#facts.addOrigin(descriptor.digest, origin);
  }

  origins(digest: Digest): readonly Origin[] {
    return this.#facts.origins(digest);
  }

  tarSize(layer: Layer): number | undefined {
    return this.#facts.tarSize(layer.diffId);
  }

  #findTree(layer: Layer): string | undefined {
    return this.#trees.find(layer.diffId, () => this.#listings.find(layer.diffId));
  }

  #foreignTree(layer: Layer): string | undefined {
    return this.#trees.findForeign(layer.diffId, this.#listings.find(layer.diffId));
  }

  /** The local form to make others from, or undefined. */
  #form(layer: Layer): Form | undefined {
    const gzipped = this.#facts.packed(layer.diffId, 'gzip')?.digest;
    for (const digest of [layer.diffId, layer.descriptor?.digest, gzipped]) {
      const path = digest && this.#blobs.find(digest);
      if (digest !== undefined && path !== undefined) return { kind: 'file', path, digest };
    }
    const tree = layer.own ? (this.#findTree(layer) ?? this.#foreignTree(layer)) : undefined;
    if (tree !== undefined) return { kind: 'tree', path: tree };
    const base = layer.own ? this.#facts.base(layer.diffId) : undefined;
    const from: Layer | undefined = base && { diffId: base.diffId, own: true };
    return base && from && this.isAtHand(from) ? { kind: 'base', layer: from, epoch: base.epoch } : undefined;
  }

  async *#tarOf(layer: Layer, signal?: AbortSignal): AsyncGenerator<Buffer> {
    let form = this.#form(layer);
    if (form === undefined) {
      await this.atHand(layer, signal);
      form = this.#form(layer) ?? gone(layer);
    }
    if (form.kind === 'tree') yield* retar(form.path, await this.listing(layer, signal));
    else if (form.kind === 'base') yield* clampTar(this.tar(form.layer, signal), form.epoch);
    else if (form.digest === layer.diffId) yield* readBlob(form.path, signal);
    else yield* inflate(readBlob(form.path, signal));
  }

  async *#fetchedTar(layer: Layer, signal?: AbortSignal): AsyncGenerator<Buffer> {
    yield* inflate(await fetchLayer(this.#from, layer, signal));
  }

  async #makeListing(layer: Layer, signal?: AbortSignal): Promise<Listing> {
    const form = this.#form(layer);
    if (form?.kind === 'base') {
      const clamped = clampListing(await this.listing(form.layer, signal), form.epoch);
      return this.#listings.put(layer.diffId, encodeListing(clamped));
    }
    if (form?.kind === 'tree') {
      const owners = this.#trees.ownersOf(layer.diffId);
      const packed = await this.#packUpper({ folder: form.path, owners });
      checkDiffId(layer, packed.diffId);
      return this.#learn(packed);
    }
    return this.#learn(await unpackLayer(layer, form, { from: this.#from, signal }));
  }

  async #makeTree(layer: Layer, signal?: AbortSignal): Promise<string> {
    const tree = this.#home.temp();
    const form = this.#form(layer);
    const unpacked =
      form?.kind === 'base' || form?.kind === 'tree'
        ? await this.#unpackMade(layer, tree, signal)
        : await unpackLayer(layer, form, { from: this.#from, tree, signal });
    const listing = this.#learn(unpacked);
    return this.#trees.keep(layer.diffId, tree, { listing, own: layer.own });
  }

  /** A clamped layer, and one of which another rung left the tree, has no tar of its own: it is made for the moment. */
  async #unpackMade(layer: Layer, tree: string, signal?: AbortSignal): Promise<Unpacked> {
    const blob = new BlobWriter(this.#home);
    try {
      for await (const chunk of this.tar(layer, signal)) blob.append(chunk);
      return await unpackFile(this.#home, { file: blob.path, tree }, signal);
    } finally {
      blob.abandon();
    }
  }

  /** Keeps what unpacking or packing found out. */
  #learn(packed: Packed | Unpacked): Listing {
    this.#facts.setTarSize(packed.diffId, packed.tarSize);
    for (const { path, bytes } of 'accounts' in packed ? packed.accounts : []) {
      this.#home.writeChecked(this.#accountFile(packed.diffId, path), Buffer.from(bytes));
    }
    return this.#listings.put(packed.diffId, Buffer.from(packed.listing));
  }

  #accountFile(diffId: Digest, path: string): string {
    return this.#home.path('facts', `${hexOf(diffId)}.${path.replaceAll('/', '-')}`);
  }

  /** Little is done at once; much in a worker thread, so that the event loop stays free. */
  async #packUpper(upper: Upper): Promise<Packed> {
    if (isSmall(upper.folder)) return packFolder(upper.folder, entriesOfUpper(upper));
    return atWork(() => start<Packed>('commit-worker', upper, { warn: this.#home.warn }).result);
  }

  async #makeClamped(layer: Layer, epoch: number): Promise<Layer> {
    const unclamped = { layer, listing: await this.listing(layer), tar: () => this.tar(layer) };
    return clampLayer(unclamped, epoch, { facts: this.#facts, listings: this.#listings });
  }

  /**
   * Runs `task`, or waits for the one of the same name that runs already; where that was given up by whoever began it,
   * the task is begun again.
   */
  #once<T>(name: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const running = this.#running.get(name) as Running<T> | undefined;
    if (running !== undefined) {
      return running.result.catch((error: unknown) => {
        if (running.signal?.aborted !== true || signal?.aborted === true) throw error;
        return this.#once(name, task, signal);
      });
    }
    const result = task().finally(() => this.#running.delete(name));
    this.#running.set(name, { result, signal });
    return result;
  }
}
