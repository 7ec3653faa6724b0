import { basename } from 'node:path';
import type { FindImage } from '../../builder/base-image.ts';
import { shown } from '../../builder/context/git-address.ts';
import type { Remotes } from '../../builder/context/remotes.ts';
import type { Material } from '../attest/provenance.ts';
import { type Digest, hexOf } from '../core/digest.ts';
import { redact } from '../http/redact.ts';
import { imagePurl } from '../oci/purl.ts';

/** Notes what a build is made of, as it is asked for. */
export class Materials {
  readonly #found = new Map<string, Material>();

  /** Sorted by address: the order in which stages ask depends on the machine. */
  get all(): readonly Material[] {
    return [...this.#found.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  /** What was asked for before all else. */
  get first(): Material | undefined {
    const [first] = this.#found.values();
    return first;
  }

  images(find: FindImage): FindImage {
    return async (text, platform) => {
      const found = await find(text, platform);
      const { digest, name = text } = found;
      this.#add(imagePurl(name, platform), digest && { sha256: hexOf(digest) });
      return found;
    };
  }

  remotes(remotes: Remotes): Remotes {
    return {
      ...remotes,
      [Symbol.asyncDispose]: () => remotes[Symbol.asyncDispose](),
      expect: (url, digest) => this.#add(redact(url), { sha256: hexOf(digest) }),
      download: async (url, checksum) => {
        const found = await remotes.download(url, checksum);
        this.#add(redact(url), { sha256: hexOf(found.digest) });
        return found;
      },
      commit: async (address) => {
        const found = await remotes.commit(address);
        const ref = address.ref === undefined ? '' : `#${address.ref}`;
        const kind = found.commit.length === 40 ? 'sha1' : 'sha256';
        this.#add(`${shown(address.url)}${ref}`, { [kind]: found.commit });
        return found;
      },
    };
  }

  /** An image of an OCI layout, by the digest of its manifest. */
  layout(folder: string, digest: Digest): void {
    this.#add(`pkg:oci/${encodeURIComponent(basename(folder))}@${encodeURIComponent(digest)}`, {
      sha256: hexOf(digest),
    });
  }

  #add(uri: string, digest: Material['digest']): void {
    // An address without its query may stand for several files.
    this.#found.set(JSON.stringify([uri, digest]), digest === undefined ? { uri } : { uri, digest });
  }
}

function keyOf(material: Material): string {
  return JSON.stringify(material);
}
