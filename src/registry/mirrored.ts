import { type Digest, finish, hasher } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { FetchBlob } from '../core/store.ts';
import type { Descriptor, Image, Platform } from '../core/types.ts';
import type { Reference } from '../oci/reference.ts';
import { blobFetcher, type OpenSession, withoutFirst } from './fetch.ts';
import { type Place, placesOf, type Rules } from './places.ts';
import {
  type FoundManifest,
  type Resolved,
  remoteDigest,
  remoteManifest,
  resolveAll,
  resolveImage,
} from './resolve.ts';
import type { Manner } from './sessions.ts';

export interface MirroredOptions {
  readonly opener: (manner: Manner) => OpenSession;
  /** Read when the first image is asked for. */
  readonly rules: () => Promise<Rules>;
  /** Told once of each mirror that is passed over, and why. */
  readonly say: (warning: string) => void;
}

/**
 * Pulls from the places of an image, in their order. A mirror that fails is passed over; what the last place says is the
 * answer. Images keep the name that they were asked for by, whoever gave them.
 */
export class Mirrored {
  readonly #options: MirroredOptions;
  /** Mirrors that could not be reached. */
  readonly #gone = new Set<string>();
  readonly #told = new Set<string>();

  constructor(options: MirroredOptions) {
    this.#options = options;
  }

  async resolve(reference: Reference, platform: Platform, signal?: AbortSignal): Promise<Resolved> {
    const found = await this.#ask(reference, (there, open) =>
      resolveImage(there, { open, platform, signal }),
    );
    return { ...found, image: namedAs(reference, found.image) };
  }

  async resolveAll(reference: Reference, signal?: AbortSignal): Promise<readonly Image[]> {
    const found = await this.#ask(reference, (there, open) => resolveAll(there, { open, signal }));
    return found.map((image) => namedAs(reference, image));
  }

  manifest(reference: Reference, signal?: AbortSignal): Promise<FoundManifest> {
    return this.#ask(reference, (there, open) => remoteManifest(there, { open, signal }));
  }

  digest(reference: Reference, signal?: AbortSignal): Promise<Digest | undefined> {
    return this.#ask(reference, (there, open) => remoteDigest(there, open, signal));
  }

  /** As `blobFetcher`, with the places of each origin. What a mirror began another ends; wrong bytes nobody can take back. */
  readonly fetch: FetchBlob = async (origins, descriptor, signal) => {
    const rules = await this.#options.rules();
    const places = origins.flatMap((origin) => placesOf(origin, 'blob', rules));
    const there = places.filter((place) => !this.#isGone(place));
    const usable = there.length > 0 ? there : places;
    if (usable.some(({ isMirror, insecure }) => isMirror || insecure))
      return this.#fromPlaces(usable, descriptor, signal);
    return blobFetcher(this.#options.opener(plain))(usable, descriptor, signal);
  };

  /** The answer of the first place that has one; `undefined` is none. */
  async #ask<T>(
    reference: Reference,
    attempt: (reference: Reference, open: OpenSession) => Promise<T>,
  ): Promise<T> {
    const wanted = reference.digest === undefined ? 'tag' : 'digest';
    const places = placesOf(reference, wanted, await this.#options.rules());
    const at = (place: Place): Promise<T> => {
      const { host, repository } = place;
      return attempt({ ...reference, host, repository }, this.#options.opener(place));
    };
    for (const mirror of places.slice(0, -1).filter((place) => !this.#isGone(place))) {
      try {
        const answer = await at(mirror);
        if (answer !== undefined) return answer;
      } catch (error) {
        this.#passOver(mirror, error);
      }
    }
    return at(places.at(-1)!);
  }

  async *#fromPlaces(
    places: readonly Place[],
    descriptor: Descriptor,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Buffer> {
    let done = 0;
    for (const [i, place] of places.entries()) {
      try {
        const whole = await blobFetcher(this.#options.opener(place))([place], descriptor, signal);
        const chunks = place.isMirror ? verified(whole, place, descriptor) : whole;
        for await (const chunk of withoutFirst(chunks, done)) {
          done += chunk.length;
          yield chunk;
        }
        return;
      } catch (error) {
        const isWrong = done > 0 && error instanceof BuildError && error.code === 'digest-mismatch';
        if (isWrong || i === places.length - 1) throw error;
        this.#passOver(place, error);
      }
    }
  }

  #isGone({ host, isMirror }: Place): boolean {
    return isMirror && this.#gone.has(host);
  }

  /** Throws what no other place can mend. */
  #passOver({ host, isMirror }: Place, error: unknown): void {
    if (!(error instanceof BuildError) || error.code === 'interrupted') throw error;
    if (!isMirror) return;
    if (error.code === 'network') this.#gone.add(host);
    const key = `${host} ${error.code}`;
    if (!this.#told.has(key)) this.#options.say(`the mirror ${host} is passed over: ${error.message}`);
    this.#told.add(key);
  }
}

/** The image with the registry that it was asked of, whoever gave it. */
function namedAs({ host, repository }: Reference, image: Image): Image {
  const layers = image.layers.map((layer) => ({ ...layer, origins: [{ host, repository }] }));
  return { ...image, layers };
}

const plain: Manner = { insecure: false, isMirror: false };

/** Wrong bytes are told with the mirror's name: whoever reads them knows the image's alone. */
async function* verified(
  chunks: AsyncIterable<Buffer>,
  { host }: Place,
  { digest }: Descriptor,
): AsyncGenerator<Buffer> {
  const hash = hasher();
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
  const got = finish(hash);
  if (got === digest) return;
  throw new BuildError(
    'digest-mismatch',
    `the mirror ${host} gave other bytes than were named: ${got} instead of ${digest}`,
    {
      hint: 'Take the mirror out of registries.conf or --registry-mirror until it is mended.',
    },
  );
}
