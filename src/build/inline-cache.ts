import type { Tools } from '../../builder/tools.ts';
import { documentOf } from '../../cache/remote/document.ts';
import { clampEpoch } from '../core/clamp-epoch.ts';
import type { Image } from '../core/types.ts';
import { encodeConfig, inlineCacheField, parseConfig } from '../oci/config.ts';
import { type BuiltImage, stepsOf } from './taken-steps.ts';

/** The image with what its build knows in its configuration (`--cache-to type=inline`). */
export function withInlineCache({ image, graph }: BuiltImage, { options }: Tools): Image {
  const content = { steps: stepsOf({ image, graph }, clampEpoch(options)), mounts: new Map() };
  const diffIds = image.layers.map(({ diffId }) => diffId);
  const document = documentOf(content, diffIds, { inline: true });
  const config = encodeConfig({ ...parseConfig(image.config), [inlineCacheField]: document });
  return { ...image, config };
}
