import { type Digest, hexOf } from '../src/core/digest.ts';
import { BuildError } from '../src/core/errors.ts';
import type { Listing } from '../src/core/types.ts';
import { decodeListing } from '../src/oci/listing.ts';
import { type Home, touch } from './home.ts';

/** Listings by diffId. Those of one build are asked for again and again: the last ones stay decoded. */
export class Listings {
  readonly #home: Home;
  readonly #decoded = new Map<Digest, Listing>();

  constructor(home: Home) {
    this.#home = home;
  }

  /** The listing, or undefined; a damaged file counts as absent. */
  find(diffId: Digest): Listing | undefined {
    const known = this.#decoded.get(diffId);
    if (known !== undefined) return known;
    const bytes = this.#home.readChecked(this.#file(diffId));
    if (bytes === undefined) return undefined;
    touch(this.#file(diffId));
    try {
      return this.#remember(diffId, decodeListing(bytes));
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      this.#home.warn(`the listing of ${diffId} cannot be used: ${error.message}`);
      return undefined;
    }
  }

  put(diffId: Digest, encoded: Buffer): Listing {
    this.#home.writeChecked(this.#file(diffId), encoded);
    return this.#remember(diffId, decodeListing(encoded));
  }

  /** Keeps an encoded listing that nobody has asked for yet. */
  keep(diffId: Digest, encoded: Buffer): void {
    this.#home.writeChecked(this.#file(diffId), encoded);
  }

  #remember(diffId: Digest, listing: Listing): Listing {
    this.#decoded.set(diffId, listing);
    return listing;
  }

  #file(diffId: Digest): string {
    return this.#home.path('listings', hexOf(diffId));
  }
}
