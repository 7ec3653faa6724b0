import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Reader } from './ssh-wire.ts';

/** Why the text of a private key cannot be used, as the end of a sentence. */
export class UnusableKey extends Error {}

/** The curves of ECDSA keys: their names in ssh and elsewhere, and the bytes of a coordinate. */
export const curves = [
  { ssh: 'nistp256', jwk: 'P-256', size: 32, hash: 'sha256' },
  { ssh: 'nistp384', jwk: 'P-384', size: 48, hash: 'sha384' },
  { ssh: 'nistp521', jwk: 'P-521', size: 66, hash: 'sha512' },
] as const;

const MAGIC = 'openssh-key-v1\0';

/** Reads a private key in OpenSSH's own form or as PEM. Throws UnusableKey. */
export function readKey(text: string): KeyObject {
  const own = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END OPENSSH PRIVATE KEY-----/.exec(text);
  if (own === null && /ENCRYPTED/.test(text)) throw new UnusableKey('is protected by a passphrase');
  try {
    return usable(own === null ? createPrivateKey(text) : ownForm(Buffer.from(own[1]!, 'base64')));
  } catch (error) {
    throw error instanceof UnusableKey ? error : new UnusableKey('is no private key');
  }
}

function usable(key: KeyObject): KeyObject {
  const type = key.asymmetricKeyType;
  if (type === 'ed25519' || type === 'rsa') return key;
  const { crv } = type === 'ec' ? createPublicKey(key).export({ format: 'jwk' }) : {};
  if (curves.some(({ jwk }) => jwk === crv)) return key;
  throw new UnusableKey(`is of the kind ${type}, which ssh does not know`);
}

/** OpenSSH's PROTOCOL.key: one private key, not encrypted. */
function ownForm(bytes: Buffer): KeyObject {
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new UnusableKey('is no private key');
  const outer = new Reader(bytes.subarray(MAGIC.length));
  const cipher = outer.string().toString();
  if (cipher !== 'none') throw new UnusableKey('is protected by a passphrase');
  outer.string();
  outer.string();
  outer.uint32();
  outer.string();
  const inner = new Reader(outer.string());
  inner.uint32();
  inner.uint32();
  const key = jwkOf(inner.string().toString(), inner);
  return createPrivateKey({ key, format: 'jwk' });
}

function jwkOf(type: string, fields: Reader): JsonWebKey {
  if (type === 'ssh-ed25519') {
    const x = fields.string();
    return { kty: 'OKP', crv: 'Ed25519', x: base64(x), d: base64(fields.string().subarray(0, 32)) };
  }
  if (type === 'ssh-rsa') return rsaJwk(fields);
  const curve = curves.find(({ ssh }) => type === `ecdsa-sha2-${ssh}`);
  if (curve === undefined) throw new UnusableKey(`is of the kind ${type}, which needs an agent`);
  fields.string();
  const point = fields.string();
  return {
    kty: 'EC',
    crv: curve.jwk,
    x: base64(point.subarray(1, 1 + curve.size)),
    y: base64(point.subarray(1 + curve.size)),
    d: base64(sized(fields.string(), curve.size)),
  };
}

function rsaJwk(fields: Reader): JsonWebKey {
  const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => numberOf(fields.string()));
  const numbers = { n, e, d, p, q, dp: d! % (p! - 1n), dq: d! % (q! - 1n), qi };
  const coded = Object.entries(numbers).map(([name, value]) => [name, base64(bytesOf(value!))]);
  return { kty: 'RSA', ...Object.fromEntries(coded) } as JsonWebKey;
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex') || '0'}`);
}

function bytesOf(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

/** A number in exactly `size` bytes: ssh leaves leading zeros out, or puts one in front. */
function sized(bytes: Buffer, size: number): Buffer {
  return Buffer.concat([Buffer.alloc(size), bytes]).subarray(-size);
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64url');
}
