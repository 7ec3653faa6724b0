import type { Descriptor, Image } from '../core/types.ts';
import { annotationsAt } from '../oci/annotations.ts';
import { indexOf } from '../oci/manifest.ts';
import type { Reference } from '../oci/reference.ts';
import type { OpenSession } from './fetch.ts';
import { type PushOptions, pushContent, pushNamed } from './push.ts';
import { type Pushed, putManifest } from './put-manifest.ts';
import type { Target } from './target.ts';

export interface PushedIndex extends Pushed {
  /** Its members as it names them. */
  readonly manifests: readonly Descriptor[];
}

/** Sends images for several platforms, each under its digest, and then the index that names them under every name. */
export async function pushIndex(
  images: readonly Image[],
  references: readonly Reference[],
  open: OpenSession,
  options: PushOptions,
): Promise<PushedIndex> {
  const { format, annotations = [] } = options;
  return await pushNamed(references, { open, signal: options.signal }, async (target) => {
    const manifests: Descriptor[] = [];
    for (const image of images) manifests.push(await pushMember(image, target, options));
    const made = indexOf({ manifests, format, annotations: annotationsAt(annotations, 'index') });
    const { descriptor, ...index } = made;
    return { ...index, digest: descriptor.digest, size: descriptor.size, manifests };
  });
}

async function pushMember(image: Image, target: Target, options: PushOptions): Promise<Descriptor> {
  const pushed = await pushContent(image, target, options);
  const { mediaType, digest, size } = pushed;
  await putManifest(target, pushed, { digest });
  const { platform } = image;
  const annotations = annotationsAt(options.annotations ?? [], 'manifest-descriptor', platform);
  return { mediaType, digest, size, platform, ...(annotations && { annotations }) };
}
