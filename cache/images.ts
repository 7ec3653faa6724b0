import { type Digest, hexOf, isDigest } from '../src/core/digest.ts';
import { BuildError } from '../src/core/errors.ts';
import { formatPlatform, hostPlatform } from '../src/core/platform.ts';
import type { Blobs, Images, StoredImage } from '../src/core/store.ts';
import type { Image, Platform } from '../src/core/types.ts';
import { nearest } from '../src/oci/platform.ts';
import { type Home, touch } from './home.ts';
import { filesIn, idsUnder, namesById, removeFile, setName } from './names.ts';

/** An image as it is stored: everything but the bytes of its config and manifest, which are blobs. */
export interface ImageFile {
  readonly id: Digest;
  readonly layers: Image['layers'];
  readonly platform: Image['platform'];
  readonly manifest?: { readonly digest: Digest; readonly mediaType: string };
  readonly stored: string;
  /** A build took it for FROM, and nobody asked for it otherwise. */
  readonly base?: true;
}

/** Images by name and by id: a file per image, a file per name. */
export function openImages(home: Home, blobs: Blobs): Images {
  return new ImageFiles(home, blobs);
}

/** Every image file that can be read. */
export function imageFiles(home: Home): ImageFile[] {
  return filesIn(home, 'images').flatMap(
    (file) => home.readJson(home.path('images', file), isImageFile) ?? [],
  );
}

/** The file of an image; its modification time is the image's last use. */
export function imagePath(home: Home, id: Digest): string {
  return home.path('images', `${hexOf(id)}.json`);
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
    const ids = idsUnder(this.#home, nameOrId) ?? this.#idFrom(nameOrId);
    const names = namesById(this.#home);
    const found = await Promise.all(ids.map((one) => this.#load(one, names)));
    for (const id of ids) touch(this.#imageFile(id));
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
    for (const name of names) setName(this.#home, name, ids);
    const all = namesById(this.#home);
    return stored.map((one) => withNames(one, all.get(one.id) ?? []));
  }

  async putBeside(
    image: Image,
    names: readonly string[],
    { base = false }: { readonly base?: boolean } = {},
  ): Promise<StoredImage> {
    const written = await this.#write(image, base);
    for (const name of names) setName(this.#home, name, this.#idsWith(name, written));
    return withNames(written, namesById(this.#home).get(written.id) ?? []);
  }

  /** What the name stands for, the new image in the place of the one for its platform. */
  #idsWith(name: string, { id, image }: { readonly id: Digest; readonly image: Image }): Digest[] {
    const own = formatPlatform(image.platform);
    const others = (idsUnder(this.#home, name) ?? []).filter((other) => {
      const file = this.#home.readJson(this.#imageFile(other), isImageFile);
      return file !== undefined && other !== id && formatPlatform(file.platform) !== own;
    });
    return [...others, id];
  }

  /** What somebody asked for is no mere base from then on. */
  async #write(image: Image, base = false): Promise<{ id: Digest; image: Image; stored: string }> {
    const id = await this.#blobs.write(image.config);
    const known = this.#home.readJson(this.#imageFile(id), isImageFile);
    const { manifest } = image;
    const stored = new Date().toISOString();
    const file: ImageFile = {
      id,
      layers: image.layers,
      platform: image.platform,
      stored,
      ...(base && (known === undefined || known.base === true) && { base }),
      ...(manifest && {
        manifest: { digest: await this.#blobs.write(manifest.bytes), mediaType: manifest.mediaType },
      }),
    };
    this.#home.write(this.#imageFile(id), JSON.stringify(file));
    return { id, image, stored };
  }

  async removeName(name: string): Promise<boolean> {
    const ids = idsUnder(this.#home, name);
    if (ids === undefined) return false;
    setName(this.#home, name, []);
    const names = namesById(this.#home);
    for (const id of ids) {
      const left = names.get(id) ?? [];
      const isTagged = left.some((other) => !other.includes('@'));
      if (!isTagged && (left.length === 0 || !name.includes('@'))) await this.removeImage(id);
    }
    return true;
  }

  async removeImage(id: Digest): Promise<readonly string[]> {
    const names = namesById(this.#home).get(id) ?? [];
    for (const name of names) {
      const left = (idsUnder(this.#home, name) ?? []).filter((other) => other !== id);
      setName(this.#home, name, left);
    }
    removeFile(this.#imageFile(id));
    return names;
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

  /** The one image that an id, or the start of one, means. */
  #idFrom(text: string): readonly Digest[] {
    const start = text.startsWith('sha256:') ? text.slice(7) : text;
    if (!/^[0-9a-f]{4,64}$/.test(start)) return [];
    if (start.length === 64) return [`sha256:${start}`];
    const found = filesIn(this.#home, 'images').filter((file) => file.startsWith(start));
    if (found.length > 1) {
      throw new BuildError('not-found', `several images have an id that begins with ${start}`, {
        hint: 'Write more digits of the id.',
      });
    }
    return found.map((file): Digest => `sha256:${file.slice(0, 64)}`);
  }

  #imageFile(id: Digest): string {
    return imagePath(this.#home, id);
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

function isImageFile(value: unknown): value is ImageFile {
  const file = value as ImageFile | null;
  return isDigest(String(file?.id)) && Array.isArray(file?.layers) && typeof file.platform?.os === 'string';
}
