import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestOf, finish, hasher, isDigest } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { Descriptor, Entry, Platform } from '../core/types.ts';
import { maxConfigBytes, parseConfig } from './config.ts';
import { compressionByMagic, inflate } from './inflate.ts';
import { imagesOf } from './layout-read.ts';
import { manifestOf, maxManifestBytes } from './manifest.ts';
import { layerMediaType } from './media-types.ts';
import type { FoundImage } from './packed.ts';
import { formatReference, parseReference } from './reference.ts';
import { TarReader } from './tar-read.ts';

/** Entries that an archive may have; images have a few dozen. */
const maxEntries = 20_000;
/** Older archives write a layer that two images share once, and a link for the other. */
const maxLinks = 8;

/** A file of the archive, as it was put aside: its own name is not used on disk, so that none can lead elsewhere. */
interface Kept {
  readonly path: string;
  readonly size: number;
  readonly digest: Digest;
}

/**
 * The images of an OCI archive or a `docker save` archive (compressed or not; from a file or a pipe). Its files are
 * put into `folder`, which the caller makes and removes; the images name them there. Without a platform they are all
 * the images of an OCI archive. Digests and sizes are checked.
 * Throws `image`, `layer`, `digest-mismatch` or `not-found` for an archive that is not what it should be.
 */
export async function readArchive(
  source: AsyncIterable<Buffer>,
  folder: string,
  platform?: Platform,
): Promise<readonly FoundImage[]> {
  const files = new Files(folder);
  try {
    const reader = new TarReader(files);
    for await (const chunk of inflate(source)) reader.write(chunk);
    reader.finish();
  } finally {
    files.close();
  }
  const index = files.find('index.json');
  const manifest = files.find('manifest.json');
  if (index !== undefined) return fromLayout(files, small(index, maxManifestBytes), platform);
  if (manifest !== undefined) return fromDocker(files, small(manifest, maxManifestBytes));
  throw new BuildError('image', 'the archive holds neither an OCI layout nor the output of docker save', {
    hint: 'Archives of images have an index.json or a manifest.json at their top.',
  });
}

/** Puts the files of an archive aside while a `TarReader` reads it. */
class Files {
  readonly #folder: string;
  readonly #kept = new Map<string, Kept>();
  readonly #links = new Map<string, string>();
  #current:
    | { name: string; path: string; fd: number; size: number; hash: ReturnType<typeof hasher> }
    | undefined;
  #count = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  entry(entry: Entry): void {
    if (++this.#count > maxEntries)
      throw new BuildError('image', `the archive has more than ${maxEntries} entries`);
    if (entry.type === 'hardlink') this.#links.set(entry.path, entry.link!);
    if (entry.type === 'symlink') this.#links.set(entry.path, resolved(entry.path, entry.link!));
    if (entry.type !== 'file') return;
    const path = join(this.#folder, `entry-${this.#count}`);
    const fd = openSync(path, 'wx', 0o600);
    this.#current = { name: entry.path, path, fd, size: entry.size, hash: hasher() };
  }

  data(chunk: Buffer): void {
    const { fd, hash } = this.#current!;
    hash.update(chunk);
    for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
  }

  end(): void {
    if (this.#current === undefined) return;
    const { name, path, size, hash } = this.#current;
    this.close();
    this.#links.delete(name);
    this.#kept.set(name, { path, size, digest: finish(hash) });
  }

  close(): void {
    if (this.#current !== undefined) closeSync(this.#current.fd);
    this.#current = undefined;
  }

  /** The file of this name, through links within the archive. */
  find(name: string): Kept | undefined {
    let at = name;
    for (let step = 0; step < maxLinks; step++) {
      const kept = this.#kept.get(at);
      if (kept !== undefined) return kept;
      const next = this.#links.get(at);
      if (next === undefined) return undefined;
      at = next;
    }
    return undefined;
  }
}

/** The name that a symlink of the archive leads to; one that leads out of it leads to no name. */
function resolved(from: string, target: string): string {
  const parts = target.startsWith('/') ? [] : from.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function fromLayout(files: Files, index: Buffer, platform?: Platform): Promise<readonly FoundImage[]> {
  const find = (digest: Digest): string | undefined => {
    const kept = files.find(`blobs/${digest.replace(':', '/')}`);
    if (kept !== undefined && kept.digest !== digest) throw mismatch(digest, kept.digest);
    return kept?.path;
  };
  // Blobs were hashed when they were put aside; sizes are compared where manifests and configurations are read.
  return imagesOf(index, find, { verify: false, ...(platform && { platform }) });
}

function fromDocker(files: Files, bytes: Buffer): readonly FoundImage[] {
  const entries = parseEntries(bytes);
  return entries.map((entry) => {
    const config = small(must(files, entry.Config), maxConfigBytes);
    checkConfigName(entry.Config, config);
    const diffIds = parseConfig(config).rootfs.diff_ids;
    if (diffIds.length !== entry.Layers.length) {
      throw new BuildError(
        'image',
        "the archive's manifest.json and configuration disagree about the layers",
      );
    }
    const layers = entry.Layers.map((name, i) => dockerLayer(must(files, name), diffIds[i]!));
    const descriptors = layers.map((layer) => layer.descriptor);
    const { bytes: manifest, mediaType } = manifestOf({ config, layers: descriptors, format: 'oci' });
    const names = entry.RepoTags.map((name) => formatReference(parseReference(name)));
    return { names, config, manifest: { bytes: manifest, mediaType }, layers };
  });
}

/** A layer's descriptor as it stands in the archive; a plain one must be what the configuration says. */
function dockerLayer(kept: Kept, diffId: Digest): { descriptor: Descriptor; path: string } {
  const compression = compressionByMagic(firstBytes(kept));
  if (compression === 'uncompressed' && kept.digest !== diffId) throw mismatch(diffId, kept.digest);
  const mediaType = layerMediaType('oci', compression);
  return { descriptor: { mediaType, digest: kept.digest, size: kept.size }, path: kept.path };
}

/** Configurations are named by their digest; a file that is named by another one was changed. */
function checkConfigName(name: string, config: Buffer): void {
  const match = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(name);
  if (match === null) return;
  const expected = `sha256:${match[1]}`;
  const digest = digestOf(config);
  if (isDigest(expected) && expected !== digest) throw mismatch(expected, digest);
}

interface DockerEntry {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
}

function parseEntries(bytes: Buffer): DockerEntry[] {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new BuildError('image', "the archive's manifest.json is not JSON", { cause });
  }
  const isEntry = (one: Partial<DockerEntry> | null): boolean =>
    typeof one?.Config === 'string' && isStrings(one.Layers) && isStrings(one.RepoTags ?? []);
  if (!Array.isArray(json) || !json.every(isEntry)) {
    throw new BuildError('image', "the archive's manifest.json is malformed");
  }
  return (json as DockerEntry[]).map((one) => ({ ...one, RepoTags: one.RepoTags ?? [] }));
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function must(files: Files, name: string): Kept {
  const kept = files.find(name);
  if (kept !== undefined) return kept;
  throw new BuildError(
    'image',
    `the archive lacks a file that its manifest.json names: ${JSON.stringify(name)}`,
  );
}

function small(kept: Kept, limit: number): Buffer {
  if (kept.size > limit) throw new BuildError('image', `a file of the image is larger than ${limit} bytes`);
  return readFileSync(kept.path);
}

function firstBytes(kept: Kept): Buffer {
  const fd = openSync(kept.path, 'r');
  try {
    const start = Buffer.alloc(4);
    return start.subarray(0, readSync(fd, start, 0, start.length, 0));
  } finally {
    closeSync(fd);
  }
}

function mismatch(expected: Digest, found: Digest): BuildError {
  return new BuildError('digest-mismatch', `the archive's ${expected} has the digest ${found} instead`, {
    hint: 'It was damaged or changed: make it again.',
  });
}
