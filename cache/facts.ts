import { type Digest, hexOf, isDigest } from '../src/core/digest.ts';
import type { Origin, Packing } from '../src/core/types.ts';
import type { Home } from './home.ts';

/** Which blob a layer is in one compression. */
export interface PackedFact {
  readonly digest: Digest;
  readonly size: number;
}

/** The layer that another one is with its times clamped. */
export interface ClampedFact {
  readonly diffId: Digest;
}

/** From what a clamped layer is made. */
export interface BaseFact {
  readonly diffId: Digest;
  readonly epoch: number;
}

/**
 * What was once found out about layers: one small file per fact, written once and never changed, so that builds side
 * by side cannot lose each other's. Only the list of a blob's origins grows; of two that add at once one may win,
 * which costs no more than a hint.
 */
export class Facts {
  readonly #home: Home;

  constructor(home: Home) {
    this.#home = home;
  }

  tarSize(diffId: Digest): number | undefined {
    return this.#read(diffId, 'size', isSize)?.tarSize;
  }

  setTarSize(diffId: Digest, tarSize: number): void {
    if (this.tarSize(diffId) === undefined) this.#write(diffId, 'size', { tarSize });
  }

  implied(diffId: Digest): readonly string[] | undefined {
    return this.#read(diffId, 'implied', isNames);
  }

  setImplied(diffId: Digest, paths: readonly string[]): void {
    this.#write(diffId, 'implied', paths);
  }

  packed(diffId: Digest, packing: Packing): PackedFact | undefined {
    return this.#read(diffId, packing, isPacked);
  }

  setPacked(diffId: Digest, packing: Packing, fact: PackedFact): void {
    this.#write(diffId, packing, fact);
  }

  clamped(diffId: Digest, epoch: number): Digest | undefined {
    return this.#read(diffId, `clamp-${epoch}`, isClamped)?.diffId;
  }

  /** What a clamped layer was made of. */
  base(diffId: Digest): BaseFact | undefined {
    return this.#read(diffId, 'base', isBase);
  }

  setClamped(base: Digest, epoch: number, diffId: Digest): void {
    if (diffId !== base && this.base(diffId) === undefined)
      this.#write(diffId, 'base', { diffId: base, epoch });
    this.#write(base, `clamp-${epoch}`, { diffId });
  }

  origins(digest: Digest): readonly Origin[] {
    return this.#home.readJson(this.#originFile(digest), isOrigins) ?? [];
  }

  addOrigin(digest: Digest, origin: Origin): void {
    const known = this.origins(digest);
    if (known.some((one) => one.host === origin.host && one.repository === origin.repository)) return;
    this.#home.write(this.#originFile(digest), JSON.stringify([origin, ...known].slice(0, 8)));
  }

  #read<T>(diffId: Digest, name: string, check: (value: unknown) => value is T): T | undefined {
    return this.#home.readJson(this.#file(diffId, name), check);
  }

  #write(diffId: Digest, name: string, fact: object): void {
    this.#home.write(this.#file(diffId, name), JSON.stringify(fact));
  }

  #file(diffId: Digest, name: string): string {
    return this.#home.path('facts', `${hexOf(diffId)}.${name}.json`);
  }

  #originFile(digest: Digest): string {
    return this.#home.path('origins', `${hexOf(digest)}.json`);
  }
}

function isSize(value: unknown): value is { readonly tarSize: number } {
  return typeof (value as { tarSize?: unknown } | null)?.tarSize === 'number';
}

function isPacked(value: unknown): value is PackedFact {
  const fact = value as PackedFact | null;
  return isDigest(String(fact?.digest)) && typeof fact?.size === 'number';
}

function isClamped(value: unknown): value is ClampedFact {
  return isDigest(String((value as ClampedFact | null)?.diffId));
}

function isBase(value: unknown): value is BaseFact {
  return isClamped(value) && typeof (value as { epoch?: unknown }).epoch === 'number';
}

function isOrigins(value: unknown): value is Origin[] {
  return Array.isArray(value) && value.every((one: Origin) => typeof one?.host === 'string');
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
