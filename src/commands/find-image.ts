import { BuildError, suggestion, usageError } from '../core/errors.ts';
import type { Store, StoredImage } from '../core/store.ts';
import type { Platform } from '../core/types.ts';
import { formatReference, parseReference } from '../oci/reference.ts';

/** An image by name, or by its id or the start of one; of several platforms this machine's. Fails with `not-found`. */
export async function findImage(store: Store, text: string): Promise<StoredImage> {
  const found = await findStored(store, text);
  if (found !== undefined) return found;
  throw await noImage(store, text);
}

/** Every image that a name stands for, one per platform. Fails with `not-found`. */
export async function findImages(
  store: Store,
  text: string,
): Promise<readonly [StoredImage, ...StoredImage[]]> {
  const [first, ...others] = await findNamed(store, text);
  if (first === undefined) throw await noImage(store, text);
  return [first, ...others];
}

/** As `findImages`; none where there is none. */
export async function findNamed(store: Store, text: string): Promise<readonly StoredImage[]> {
  const named = await store.images.findAll(fullName(text) ?? text);
  return named.length > 0 ? named : await store.images.findAll(text);
}

async function noImage(store: Store, text: string): Promise<BuildError> {
  const all = (await store.images.list()).flatMap((image) => image.names);
  return new BuildError('not-found', `there is no image ${text} in the store`, {
    hint: suggestion(fullName(text) ?? text, all) ?? '`tsbuild images` lists what there is.',
  });
}

/** As `findImage`, or for `platform`; undefined where there is none. */
export async function findStored(
  store: Store,
  text: string,
  platform?: Platform,
): Promise<StoredImage | undefined> {
  return (
    (await store.images.find(fullName(text) ?? text, platform)) ?? (await store.images.find(text, platform))
  );
}

/** A name as the store knows it; undefined for what is no name (an id). */
export function fullName(text: string): string | undefined {
  try {
    return formatReference(parseReference(text));
  } catch {
    return undefined;
  }
}

/** A name in full, of something to be read. Fails with `usage`. */
export function nameToRead(text: string): string {
  return formatReference(parseReference(text));
}

/** A new name for an image: a tag, never a digest. Fails with `usage`. */
export function nameToGive(text: string): string {
  const reference = parseReference(text);
  if (reference.digest !== undefined)
    throw usageError(`${text} names a digest, which cannot be given away`, 'Write NAME:TAG.');
  return formatReference(reference);
}

/** A name without what skopeo puts before one of a registry. */
export function withoutScheme(name: string): string {
  return name.replace(/^docker:\/\//, '');
}
