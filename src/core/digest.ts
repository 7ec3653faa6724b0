import { createHash, type Hash, hash } from 'node:crypto';

/** `sha256:` and 64 hexadecimal digits: the name of stored bytes (OCI image-spec, descriptor.md). */
export type Digest = `sha256:${string}`;

const pattern = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** The digest of bytes that are at hand whole. */
export function digestOf(bytes: string | Uint8Array): Digest {
  return `sha256:${hash('sha256', bytes)}`;
}

/** A running hash; hand it to `finish` for the digest. */
export function hasher(): Hash {
  return createHash('sha256');
}

export function finish(hash: Hash): Digest {
  return `sha256:${hash.digest('hex')}`;
}

/** The hexadecimal part: what files are named after. */
export function hexOf(digest: Digest): string {
  return digest.slice(7);
}

/** A value whose fields are hashed unambiguously: every string is framed by its length, every list by its count. */
export type Framed =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Framed[]
  | { readonly [name: string]: Framed };

/**
 * A cache key: the digest of a value's canonical, length-framed form. Object fields are sorted by name;
 * a field that is undefined counts as absent.
 */
export function keyOf(value: Framed): Digest {
  const running = createHash('sha256');
  frame(running, value);
  return finish(running);
}

function frame(hash: Hash, value: Framed): void {
  if (Array.isArray(value)) {
    hash.update(`l${value.length}:`);
    for (const item of value as readonly Framed[]) frame(hash, item);
  } else if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value as { readonly [name: string]: Framed })
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    hash.update(`o${fields.length}:`);
    for (const [name, field] of fields) {
      frame(hash, name);
      frame(hash, field);
    }
  } else {
    const text = String(value);
    hash.update(`${typeof value === 'string' ? 's' : 'v'}${Buffer.byteLength(text)}:`).update(text);
  }
}
