import { readdirSync, unlinkSync } from 'node:fs';
import { type Digest, hexOf, isDigest, keyOf } from '../src/core/digest.ts';
import { BuildError, errnoOf } from '../src/core/errors.ts';
import { formatPlatform, hostPlatform } from '../src/core/platform.ts';
import type { Blobs, Images, StoredImage } from '../src/core/store.ts';
import type { Image, Platform } from '../src/core/types.ts';
import { nearest } from '../src/oci/platform.ts';
import type { Home } from './home.ts';

/** An image as it is stored: everything but the bytes of its config and manifest, which are blobs. */
export interface ImageFile {
  readonly id: Digest;
  readonly layers: Image['layers'];
  readonly platform: Image['platform'];
  readonly manifest?: { readonly digest: Digest; readonly mediaType: string };
  readonly stored: string;
}

/** A name and what it stands for; names with a digest (`host/repository@sha256:…`) are kept the same way. */
export interface NameFile {
  readonly name: string;
  readonly id: Digest;
  /** Images for other platforms that the name stands for as well. */
  readonly others?: readonly Digest[];
}

/** Images by name and by id: a file per image, a file per name. */
export function openImages(home: Home, blobs: Blobs): Images {
  return new ImageFiles(home, blobs);
}

/** All names in the store, by the id they stand for. */
export function namesById(home: Home): Map<Digest, string[]> {
  const byId = new Map<Digest, string[]>();
  for (const file of filesIn(home, 'names')) {
    const found = home.readJson(home.path('names', file), isNameFile);
    if (found === undefined) continue;
    for (const id of idsOf(found)) byId.set(id, [...(byId.get(id) ?? []), found.name].sort());
  }
  return byId;
}

/** Every image file that can be read. */
export function imageFiles(home: Home): ImageFile[] {
  return filesIn(home, 'images').flatMap(
    (file) => home.readJson(home.path('images', file), isImageFile) ?? [],
  );
}

class ImageFiles implements Images {
  readonly #home: Home;
  readonly #blobs: Blobs;

  constructor(home: Home, blobs: Blobs) {
    this.#home = home;
    this.#blobs = blobs;
  }

  async find(nameOrId: string, platform?: Platform): Promise<StoredImage | undefined> {
    const all = await this.findAll(nameOrId);
    const near = nearest(all, ({ image }) => image.platform, platform ?? hostPlatform());
    return platform === undefined ? (near ?? all[0]) : near;
  }

  async findAll(nameOrId: string): Promise<readonly StoredImage[]> {
    const named = this.#named(nameOrId);
    const id = named === undefined ? this.#idFrom(nameOrId) : undefined;
    const ids = named === undefined ? (id === undefined ? [] : [id]) : idsOf(named);
    const names = namesById(this.#home);
    const found = await Promise.all(ids.map((one) => this.#load(one, names)));
    return found.filter((one) => one !== undefined);
  }

  async put(image: Image, names: readonly string[]): Promise<StoredImage> {
    return (await this.putAll([image], names))[0]!;
  }

  async putAll(images: readonly Image[], names: readonly string[]): Promise<readonly StoredImage[]> {
    const stored: { id: Digest; image: Image; stored: string }[] = [];
    for (const image of images) stored.push(await this.#write(image));
    const byPlatform = new Map(stored.map((one) => [formatPlatform(one.image.platform), one.id]));
    const ids = [...byPlatform.values()];
    for (const name of names) this.#name(name, ids);
    const all = namesById(this.#home);
    return stored.map((one) => withNames(one, all.get(one.id) ?? []));
  }

  async putBeside(image: Image, names: readonly string[]): Promise<StoredImage> {
    const written = await this.#write(image);
    for (const name of names) this.#name(name, this.#idsWith(name, written));
    return withNames(written, namesById(this.#home).get(written.id) ?? []);
  }

  /** What the name stands for, the new image in the place of the one for its platform. */
  #idsWith(name: string, { id, image }: { readonly id: Digest; readonly image: Image }): Digest[] {
    const own = formatPlatform(image.platform);
    const named = this.#named(name);
    const others = (named === undefined ? [] : idsOf(named)).filter((other) => {
      const file = this.#home.readJson(this.#imageFile(other), isImageFile);
      return file !== undefined && other !== id && formatPlatform(file.platform) !== own;
    });
    return [...others, id];
  }

  #named(name: string): NameFile | undefined {
    const named = this.#home.readJson(this.#nameFile(name), isNameFile);
    return named?.name === name ? named : undefined;
  }

  #name(name: string, [id, ...others]: readonly Digest[]): void {
    const file = { name, id, ...(others.length > 0 && { others }) };
    this.#home.write(this.#nameFile(name), JSON.stringify(file));
  }

  async #write(image: Image): Promise<{ id: Digest; image: Image; stored: string }> {
    const id = await this.#blobs.write(image.config);
    const { manifest } = image;
    const stored = new Date().toISOString();
    const file: ImageFile = {
      id,
      layers: image.layers,
      platform: image.platform,
      stored,
      ...(manifest && {
        manifest: { digest: await this.#blobs.write(manifest.bytes), mediaType: manifest.mediaType },
      }),
    };
    this.#home.write(this.#imageFile(id), JSON.stringify(file));
    return { id, image, stored };
  }

  async removeName(name: string): Promise<boolean> {
    const found = this.#named(name);
    if (found === undefined) return false;
    remove(this.#nameFile(name));
    const names = namesById(this.#home);
    for (const id of idsOf(found)) {
      const left = names.get(id) ?? [];
      const isTagged = left.some((other) => !other.includes('@'));
      if (!isTagged && (left.length === 0 || !name.includes('@'))) await this.removeImage(id);
    }
    return true;
  }

  async removeImage(id: Digest): Promise<readonly string[]> {
    const names = namesById(this.#home).get(id) ?? [];
    for (const name of names) this.#unname(name, id);
    remove(this.#imageFile(id));
    return names;
  }

  /** The name stands for its other images alone, or for nothing any more. */
  #unname(name: string, id: Digest): void {
    const left = idsOf(this.#named(name)!).filter((other) => other !== id);
    if (left.length === 0) remove(this.#nameFile(name));
    else this.#name(name, left);
  }

  async list(): Promise<readonly StoredImage[]> {
    const names = namesById(this.#home);
    const loaded = await Promise.all(imageFiles(this.#home).map((file) => this.#load(file.id, names)));
    const found = loaded.filter((one) => one !== undefined);
    return found.sort((a, b) => (a.stored === b.stored ? 0 : a.stored < b.stored ? 1 : -1));
  }

  async #load(id: Digest, names: ReadonlyMap<Digest, string[]>): Promise<StoredImage | undefined> {
    const file = this.#home.readJson(this.#imageFile(id), isImageFile);
    if (file === undefined) return undefined;
    const config = await this.#blob(id);
    const manifest = file.manifest && (await this.#blob(file.manifest.digest));
    if (config === undefined) return undefined;
    const image: Image = {
      config,
      layers: file.layers,
      platform: file.platform,
      ...(file.manifest && manifest && { manifest: { bytes: manifest, mediaType: file.manifest.mediaType } }),
    };
    return withNames({ id, image, stored: file.stored }, names.get(id) ?? []);
  }

  /** A blob of an image; one that is gone makes the image absent, with a warning. */
  async #blob(digest: Digest): Promise<Buffer | undefined> {
    try {
      return await this.#blobs.read(digest);
    } catch (error) {
      if (!(error instanceof BuildError) || error.code !== 'not-found') throw error;
      this.#home.warn(`${error.message}, though an image needs it`);
      return undefined;
    }
  }

  #idFrom(text: string): Digest | undefined {
    const start = text.startsWith('sha256:') ? text.slice(7) : text;
    if (!/^[0-9a-f]{4,64}$/.test(start)) return undefined;
    if (start.length === 64) return `sha256:${start}`;
    const found = filesIn(this.#home, 'images').filter((file) => file.startsWith(start));
    if (found.length > 1) {
      throw new BuildError('not-found', `several images have an id that begins with ${start}`, {
        hint: 'Write more digits of the id.',
      });
    }
    return found[0] === undefined ? undefined : `sha256:${found[0].slice(0, 64)}`;
  }

  #imageFile(id: Digest): string {
    return this.#home.path('images', `${hexOf(id)}.json`);
  }

  #nameFile(name: string): string {
    return this.#home.path('names', `${hexOf(keyOf(name))}.json`);
  }
}

function withNames(
  image: { readonly id: Digest; readonly image: Image; readonly stored: string },
  names: readonly string[],
): StoredImage {
  return {
    ...image,
    names: names.filter((name) => !name.includes('@')),
    repoDigests: names.filter((name) => name.includes('@')),
  };
}

function filesIn(home: Home, folder: 'images' | 'names'): string[] {
  try {
    return readdirSync(home.path(folder, '')).filter((file) => file.endsWith('.json'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function remove(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

function idsOf({ id, others = [] }: NameFile): readonly Digest[] {
  return [id, ...others];
}

function isNameFile(value: unknown): value is NameFile {
  const file = value as NameFile | null;
  if (typeof file?.name !== 'string' || !isDigest(String(file.id))) return false;
  const { others = [] } = file;
  return Array.isArray(others) && others.every((id) => isDigest(String(id)));
}

function isImageFile(value: unknown): value is ImageFile {
  const file = value as ImageFile | null;
  return isDigest(String(file?.id)) && Array.isArray(file?.layers) && typeof file.platform?.os === 'string';
}
