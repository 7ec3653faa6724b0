import { writeFile } from 'node:fs/promises';
import { type Digest, digestOf } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { BuildOptions } from '../core/options.ts';
import type { Image } from '../core/types.ts';
import type { Delivered } from './deliver.ts';

export interface BuildResult {
  /** Digest of the configuration. */
  readonly id: Digest;
  /** Digest of the manifest, where one was written or pushed. */
  readonly digest?: Digest;
  readonly names: readonly string[];
  /** What `--metadata-file` holds. */
  readonly metadata: Record<string, unknown>;
}

/** What a finished build tells, and the files that were asked for. */
export async function writeResult(
  image: Image,
  { manifest }: Delivered,
  { tags, iidFile, metadataFile }: BuildOptions,
): Promise<BuildResult> {
  const id = digestOf(image.config);
  const metadata = {
    'containerimage.config.digest': id,
    ...(manifest !== undefined && {
      'containerimage.digest': manifest.digest,
      'containerimage.descriptor': manifest,
    }),
    ...(tags.length > 0 && { 'image.name': tags.join(',') }),
  };
  if (iidFile !== undefined) await write(iidFile, id, '--iidfile');
  if (metadataFile !== undefined)
    await write(metadataFile, `${JSON.stringify(metadata, null, 2)}\n`, '--metadata-file');
  return { id, names: tags, metadata, ...(manifest !== undefined && { digest: manifest.digest }) };
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
