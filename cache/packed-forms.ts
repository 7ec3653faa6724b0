import { BuildError } from '../src/core/errors.ts';
import type { Blobs, Layers } from '../src/core/store.ts';
import type { Compression, Descriptor, Layer, Packing } from '../src/core/types.ts';
import { compress } from '../src/oci/compress.ts';
import { compressionOf, layerMediaType } from '../src/oci/media-types.ts';
import { blobBytes } from '../src/oci/packed.ts';
import { partsOf } from '../src/oci/packing.ts';
import { counted, type Progress } from './counted.ts';
import { type Downloads, fetchLayer } from './download.ts';

/** What packing needs of the store of layers. */
interface Surroundings {
  readonly from: Downloads;
  readonly blobs: Blobs;
  readonly tarOf: (layer: Layer, signal?: AbortSignal) => AsyncIterable<Buffer>;
  readonly isAtHand: (layer: Layer) => boolean;
  /** Lets one task of a name run at a time. */
  readonly once: <T>(name: string, task: () => Promise<T>, signal?: AbortSignal) => Promise<T>;
}

/** The forms in which layers leave the store: compressed or not, a blob each. */
export class PackedForms {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** See `Layers.descriptor`. */
  descriptor(layer: Layer, packing: Packing | 'any'): Descriptor | undefined {
    const { descriptor } = layer;
    const wanted = packing === 'any' ? 'gzip' : packing;
    const { compression } = partsOf(wanted);
    if (descriptor && (packing === 'any' || compressionOf(descriptor.mediaType) === compression))
      return descriptor;
    const fact = wanted === 'uncompressed' ? this.#tarFact(layer) : this.#facts.packed(layer.diffId, wanted);
    return fact && { mediaType: layerMediaType('oci', compression), digest: fact.digest, size: fact.size };
  }

  /** See `Layers.packed`. */
  async file(
    layer: Layer,
    packing: Packing | 'any',
    signal?: AbortSignal,
    progress?: Progress,
  ): ReturnType<Layers['packed']> {
    const known = this.descriptor(layer, packing);
    const path = known && this.#around.blobs.find(known.digest);
    if (known !== undefined && path !== undefined) return { descriptor: known, path };
    const wanted = packing === 'any' ? usualOf(layer) : packing;
    const make = async () => {
      const descriptor = this.#mustFetch(layer, known)
        ? await this.fetch(layer, known, signal)
        : await this.#pack(layer, wanted, { signal, progress });
      return { descriptor, path: this.#around.blobs.find(descriptor.digest) ?? gone(layer) };
    };
    return this.#around.once(`packed ${wanted} ${layer.diffId}`, make, signal);
  }

  /** See `Layers.outgoing`. */
  async outgoing(
    layer: Layer,
    packing: Packing | 'any',
    signal?: AbortSignal,
    progress?: Progress,
  ): ReturnType<Layers['outgoing']> {
    const known = this.descriptor(layer, packing);
    if (this.#mustFetch(layer, known) && this.#around.blobs.find(known.digest) === undefined) {
      return { descriptor: known, content: () => this.#passing(layer, known, signal) };
    }
    const { descriptor, path } = await this.file(layer, packing, signal, progress);
    return { descriptor, content: path };
  }

  /** Keeps the blob that a layer came as. */
  async fetch(layer: Layer, descriptor: Descriptor, signal?: AbortSignal): Promise<Descriptor> {
    const { blobs, from } = this.#around;
    if (blobs.find(descriptor.digest) !== undefined) return descriptor;
    await blobs.writeStream(await fetchLayer(from, layer, signal), descriptor);
    return descriptor;
  }

  get #facts(): Downloads['facts'] {
    return this.#around.from.facts;
  }

  /** Whether a form can only be had from where the layer is kept: ours is made again from any other form at hand. */
  #mustFetch(layer: Layer, known: Descriptor | undefined): known is Descriptor {
    if (known === undefined || known.digest !== layer.descriptor?.digest) return false;
    return !layer.own || !this.#around.isAtHand(layer);
  }

  async *#passing(layer: Layer, descriptor: Descriptor, signal?: AbortSignal): AsyncGenerator<Buffer> {
    const chunks = await fetchLayer(this.#around.from, layer, signal);
    yield* blobBytes({ descriptor, content: () => chunks });
  }

  async #pack(layer: Layer, packing: Packing, how: Watched): Promise<Descriptor> {
    const { compression, level } = partsOf(packing);
    const total = this.#facts.tarSize(layer.diffId);
    const tar = counted(this.#around.tarOf(layer, how.signal), { progress: how.progress, total });
    const chunks = compression === 'uncompressed' ? tar : compress(tar, compression, { level });
    const blob = await this.#around.blobs.writeStream(chunks);
    if (compression !== 'uncompressed') this.#facts.setPacked(layer.diffId, packing, blob);
    return { mediaType: layerMediaType('oci', compression), digest: blob.digest, size: blob.size };
  }

  #tarFact(layer: Layer): Pick<Descriptor, 'digest' | 'size'> | undefined {
    const size = this.#facts.tarSize(layer.diffId);
    return size === undefined ? undefined : { digest: layer.diffId, size };
  }
}

interface Watched {
  readonly signal: AbortSignal | undefined;
  readonly progress: Progress | undefined;
}

/** The compression of the form that a layer is known by, or the one that every reader knows. */
function usualOf({ descriptor }: Layer): Compression {
  return (descriptor && compressionOf(descriptor.mediaType)) ?? 'gzip';
}

/** No form of the layer is left, and nobody is known to have one. */
export function gone(layer: Layer): never {
  throw new BuildError('not-found', `the layer ${layer.diffId} is no longer in the store`, {
    hint: 'Build again with --no-cache, so that the step that made it runs again.',
  });
}
