import { type Digest, digestOf } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { Emit } from '../core/events.ts';
import { allOrNone } from '../core/gates.ts';
import type { Annotation } from '../core/options.ts';
import { timed } from '../core/spans.ts';
import type { Layers } from '../core/store.ts';
import type { Descriptor, Image, Layer, Packing } from '../core/types.ts';
import { interrupted } from '../http/retry.ts';
import { annotationsAt } from '../oci/annotations.ts';
import type { Attest } from '../oci/attestation.ts';
import { manifestOf, parseManifest } from '../oci/manifest.ts';
import { isForeignLayer, mediaTypes } from '../oci/media-types.ts';
import { packingFor } from '../oci/packing.ts';
import type { Reference } from '../oci/reference.ts';
import type { Signer } from '../oci/signature.ts';
import type { OpenSession } from './fetch.ts';
import { putBlob, putBytes } from './put-blob.ts';
import { type Pushed, putManifest } from './put-manifest.ts';
import { putSignature } from './put-signature.ts';
import type { Target } from './target.ts';
import { firstHabits } from './upload-pieces.ts';

/** How far one blob is on its way; fits a `transfer` event. */
export interface Transfer {
  readonly id: string;
  readonly name: string;
  readonly done: number;
  readonly total?: number;
  readonly state: 'running' | 'done' | 'exists' | 'mounted' | 'failed';
}

export interface PushOptions {
  readonly layers: Layers;
  /** Media types of a manifest that is made here; an image that came with a manifest keeps it. */
  readonly format: 'oci' | 'docker';
  /** For layers that have no compressed form yet; default gzip. */
  readonly compression?: Packing | undefined;
  /** Gives layers that have another compressed form the one asked for, too. */
  readonly forceCompression?: boolean;
  readonly annotations?: readonly Annotation[];
  /** What is said about each image of an index, in manifests beside it. */
  readonly attest?: Attest | undefined;
  /** Signs what is pushed, under each of its repositories. */
  readonly signer?: Signer | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: (transfer: Transfer) => void;
  /** Told how long layers are compressed. */
  readonly emit?: Emit;
}

/** Layers of one push that are on their way at once: one is compressed while others are sent. */
const width = 3;

/**
 * Sends an image under all of its names: layers that the registry has are skipped or taken over from its other
 * repositories, the rest is packed and sent side by side, then the configuration, and the manifest last.
 */
export async function pushImage(
  image: Image,
  references: readonly Reference[],
  open: OpenSession,
  options: PushOptions,
): Promise<Pushed> {
  return await pushNamed(references, { open, ...options }, (target) => pushContent(image, target, options));
}

/** Sends to every repository what `content` sends and names with a manifest; puts that there under its names, and signs it. */
export async function pushNamed<T extends Pushed>(
  references: readonly Reference[],
  { open, signal, signer }: { readonly open: OpenSession } & Pick<PushOptions, 'signal' | 'signer'>,
  content: (target: Target) => Promise<T>,
): Promise<T> {
  let pushed: T | undefined;
  for (const names of byRepository(references)) {
    const { host, repository } = names[0]!;
    const session = await open(host, signal);
    const target: Target = { session, repository, signal, habits: firstHabits(host) };
    const manifest = await content(target);
    for (const name of names) await putManifest(target, manifest, name);
    if (signer !== undefined) await putSignature(target, manifest.digest, signer);
    pushed = manifest;
  }
  if (pushed === undefined) throw new BuildError('usage', 'there is no name to push the image under');
  return pushed;
}

/** Sends all that an image's manifest names, and gives the manifest, which is not sent yet. */
export async function pushContent(image: Image, target: Target, options: PushOptions): Promise<Pushed> {
  const layers = await pushLayers(image, target, options);
  await pushConfig(image.config, target, options);
  return manifestFor(image, layers, options);
}

function byRepository(references: readonly Reference[]): Reference[][] {
  const groups = new Map<string, Reference[]>();
  for (const reference of references) {
    const key = `${reference.host}/${reference.repository}`;
    groups.set(key, [...(groups.get(key) ?? []), reference]);
  }
  return [...groups.values()];
}

/** Ends the other layers when one fails; each distinct layer is sent once. */
async function pushLayers(image: Image, target: Target, options: PushOptions): Promise<Descriptor[]> {
  const distinct = [...new Map(image.layers.map((layer) => [layer.diffId, layer])).values()];
  const sent = await allOrNone(distinct, { width, signal: target.signal }, (layer, signal) =>
    pushLayer(layer, { ...target, signal }, options),
  );
  const byDiffId = new Map(distinct.map(({ diffId }, i) => [diffId, sent[i]!]));
  return image.layers.map(({ diffId }) => byDiffId.get(diffId)!);
}

async function pushLayer(layer: Layer, target: Target, options: PushOptions): Promise<Descriptor> {
  const { layers, forceCompression = false } = options;
  // Such layers may not be passed on: they stay where their publisher keeps them.
  if (layer.descriptor !== undefined && isForeignLayer(layer.descriptor.mediaType)) return layer.descriptor;
  const compression = packingFor(layer, options.compression ?? 'gzip', forceCompression);
  if (target.signal?.aborted) throw interrupted(target.signal);
  const known = layers.descriptor(layer, compression);
  const report = reporter(options, layer.diffId, known?.size);
  try {
    const outgoing = () => layers.outgoing(layer, compression, target.signal);
    const { emit } = options;
    const pack = () => (emit === undefined ? outgoing() : timed(emit, 'compress', outgoing));
    const packed = known === undefined ? await pack() : undefined;
    const expected = known ?? packed!.descriptor;
    const { descriptor, how } = await putBlob(target, {
      descriptor: expected,
      origins: [...(layer.origins ?? []), ...layers.origins(expected.digest)],
      open: async () => packed ?? (await pack()),
      onBytes: (done) => report('running', done, expected.size),
    });
    const { session, repository } = target;
    await layers.addOrigin(descriptor, { host: session.host, repository });
    report(how, descriptor.size, descriptor.size);
    return descriptor;
  } catch (error) {
    report('failed', 0);
    throw error;
  }
}

async function pushConfig(config: Buffer, target: Target, options: PushOptions): Promise<void> {
  const digest = digestOf(config);
  const descriptor: Descriptor = { mediaType: mediaTypes.ociConfig, digest, size: config.length };
  const report = reporter(options, digest, config.length);
  report(await putBytes(target, descriptor, config), config.length);
}

/** An image that came with a manifest keeps it, byte for byte, as long as its layers go out as it says. */
function manifestFor(image: Image, layers: readonly Descriptor[], options: PushOptions): Pushed {
  const { format, annotations: all = [] } = options;
  const annotations = annotationsAt(all, 'manifest', image.platform);
  const kept = annotations === undefined ? image.manifest : undefined;
  if (kept !== undefined && describes(kept.bytes, image.config, layers)) {
    return { ...kept, digest: digestOf(kept.bytes), size: kept.bytes.length };
  }
  const { descriptor, ...made } = manifestOf({ config: image.config, layers, format, annotations });
  return { ...made, digest: descriptor.digest, size: descriptor.size };
}

/** True when a manifest is about exactly this configuration and these blobs. */
function describes(manifest: Buffer, config: Buffer, layers: readonly Descriptor[]): boolean {
  const parsed = parseManifest(manifest);
  if (parsed.kind !== 'image') return false;
  const listed = parsed.manifest.layers.map((layer) => layer.digest);
  const same = listed.join() === layers.map((layer) => layer.digest).join();
  return same && parsed.manifest.config.digest === digestOf(config);
}

type Report = (state: Transfer['state'], done: number, total?: number) => void;

/** Tells of a blob's progress, at most each mebibyte while it runs. */
function reporter(options: PushOptions, digest: Digest, size: number | undefined): Report {
  let told = 0;
  return (state, done, total = size) => {
    if (state === 'running' && done < told + (1 << 20) && done !== total) return;
    told = done;
    const name = `pushing ${digest.slice(7, 19)}`;
    options.progress?.({ id: `push ${digest}`, name, done, ...(total !== undefined && { total }), state });
  };
}
