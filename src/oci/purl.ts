import { formatPlatform } from '../core/platform.ts';
import type { Platform } from '../core/types.ts';
import { familiarName, parseReference } from './reference.ts';

/**
 * The package URL of an image (purl-spec, type `docker`), as BuildKit writes it:
 * `pkg:docker/ghcr.io/me/app@1?platform=linux%2Famd64`; what a digest names has it as `digest=sha256:…`.
 */
export function imagePurl(name: string, platform: Platform): string {
  const reference = parseReference(name);
  const { tag, digest } = reference;
  const plain = familiarName({ host: reference.host, repository: reference.repository });
  const path = plain.split('/').map(encodeURIComponent).join('/');
  const version = tag === undefined ? '' : `@${encodeURIComponent(tag)}`;
  const query = [
    ...(digest === undefined ? [] : [['digest', digest]]),
    ['platform', formatPlatform(platform)],
  ];
  const words = query.map(([key, value]) => `${key}=${encodeURIComponent(value!).replaceAll('%3A', ':')}`);
  return `pkg:docker/${path}${version}?${words.join('&')}`;
}
