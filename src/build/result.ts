import { writeFile } from 'node:fs/promises';
import { type Digest, digestOf } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { BuildOptions } from '../core/options.ts';
import { formatPlatform } from '../core/platform.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import { type Delivered, type Delivery, type Made, packing } from './deliver.ts';
import { indexDigest, usualManifest } from './pack-index.ts';

export interface BuildResult {
  /** Digest of the configuration; of the index, where several platforms were built. */
  readonly id: Digest;
  /** Digest of the manifest or index, where one was written or pushed. */
  readonly digest?: Digest;
  readonly names: readonly string[];
  /** What `--metadata-file` holds. */
  readonly metadata: Record<string, unknown>;
}

/** What a finished build tells, and the files that were asked for. */
export async function writeResult(
  made: Made,
  delivered: Delivered,
  { options, parts }: Omit<Delivery, 'place'>,
): Promise<BuildResult> {
  const { tags, iidFile, metadataFile } = options;
  const { manifest } = delivered;
  const usual = packing({ type: 'oci' }, { options, parts });
  const id = made.isIndex
    ? (manifest?.digest ?? (await indexDigest(made.images, usual)))
    : digestOf(made.images[0].config);
  const metadata = {
    ...(made.isIndex ? membersOf(made, delivered) : { 'containerimage.config.digest': id }),
    ...(manifest !== undefined && {
      'containerimage.digest': manifest.digest,
      'containerimage.descriptor': manifest,
    }),
    ...(tags.length > 0 && { 'image.name': tags.join(',') }),
  };
  if (iidFile !== undefined) await write(iidFile, id, '--iidfile');
  if (wantsDigest(options)) {
    const single = async () => (await usualManifest(made.images[0], usual)).digest;
    await writeDigests(manifest?.digest ?? (made.isIndex ? id : await single()), options);
  }
  if (metadataFile !== undefined)
    await write(metadataFile, `${JSON.stringify(metadata, null, 2)}\n`, '--metadata-file');
  return { id, names: tags, metadata, ...(manifest !== undefined && { digest: manifest.digest }) };
}

function wantsDigest({ digestFile, nameDigestFile, nameTagDigestFile }: BuildOptions): boolean {
  return [digestFile, nameDigestFile, nameTagDigestFile].some((file) => file !== undefined);
}

/** The digest, and the names that it can be had under, as kaniko writes them. */
async function writeDigests(digest: Digest, options: BuildOptions): Promise<void> {
  const { digestFile, nameDigestFile, nameTagDigestFile } = options;
  if (digestFile !== undefined) await write(digestFile, digest, '--digest-file');
  const lines = (of: (name: Reference) => string): string =>
    namesOf(options)
      .map((name) => `${of(name)}@${digest}\n`)
      .join('');
  const bare = ({ host, repository }: Reference): string => `${host}/${repository}`;
  const tagged = (name: Reference): string => `${bare(name)}:${name.tag ?? 'latest'}`;
  if (nameDigestFile !== undefined) await write(nameDigestFile, lines(bare), '--image-name-with-digest-file');
  if (nameTagDigestFile !== undefined)
    await write(nameTagDigestFile, lines(tagged), '--image-name-tag-with-digest-file');
}

/** What it is pushed as, or would be. */
function namesOf({ outputs, tags }: BuildOptions): Reference[] {
  const pushed = outputs.flatMap((output) => (output.type === 'registry' ? output.names : []));
  return (pushed.length > 0 ? pushed : tags).map(parseReference);
}

/** Digests per platform, whose name stands behind each field's as buildx writes it. */
function membersOf({ images }: Made, { members }: Delivered): Record<string, Digest> {
  const fields = images.flatMap(({ config, platform }, i) => {
    const name = formatPlatform(platform);
    const digest = members?.[i]?.digest;
    return [
      [`containerimage.config.digest/${name}`, digestOf(config)] as const,
      ...(digest === undefined ? [] : [[`containerimage.digest/${name}`, digest] as const]),
    ];
  });
  return Object.fromEntries(fields);
}

/** What `--metadata-file` holds of a build that failed: with the exit code of a failing RUN's own process. */
export async function writeFailure(error: unknown, { metadataFile }: BuildOptions): Promise<void> {
  if (metadataFile === undefined || !(error instanceof BuildError)) return;
  const { code, message, exitCode } = error;
  const text = JSON.stringify({ error: { code, message, exitCode } }, null, 2);
  // The failure itself is what the person must hear of.
  await writeFile(metadataFile, `${text}\n`).catch(() => {});
}

async function write(path: string, text: string, flag: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new BuildError('output', `the file of ${flag} cannot be written: ${path}`, { cause: error });
  }
}
