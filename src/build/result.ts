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

async function write(path: string, text: string, flag: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new BuildError('output', `The file of ${flag} cannot be written: ${path}`, { cause: error });
  }
}
