import { createPrivateKey, createPublicKey, type KeyObject, scryptSync, sign, verify } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa';
import { usageError } from '../core/errors.ts';
import type { Signer } from '../oci/signature.ts';

/** A private key that came as text, with the word that opens it, where it has one. */
interface WrittenKey {
  /** What messages call it. */
  readonly name: string;
  readonly pem: string;
  readonly password: string | undefined;
}

/**
 * Signs as `cosign sign --key` does: ECDSA and RSA (PKCS #1 v1.5) over SHA-256, Ed25519 over the payload itself. The key
 * is PEM (PKCS #8, SEC 1, PKCS #1; encrypted or not), or what `cosign generate-key-pair` writes. Fails with `usage`.
 */
export function signerOf(written: WrittenKey): Signer {
  const key = privateKey(written);
  const algorithm = algorithmOf(key, written.name);
  const publicKey = createPublicKey(key);
  return {
    sign: (payload) => sign(algorithm, payload, key).toString('base64'),
    verifies: (payload, signature) => verify(algorithm, payload, publicKey, Buffer.from(signature, 'base64')),
  };
}

function algorithmOf({ asymmetricKeyType }: KeyObject, name: string): 'sha256' | null {
  if (asymmetricKeyType === 'ec' || asymmetricKeyType === 'rsa') return 'sha256';
  if (asymmetricKeyType === 'ed25519') return null;
  throw usageError(
    `${name} is a key for ${asymmetricKeyType ?? 'something'}, with which images are not signed`,
    'Keys are ECDSA, RSA or Ed25519, such as `cosign generate-key-pair` or `openssl genpkey` make.',
  );
}

function privateKey({ name, pem, password }: WrittenKey): KeyObject {
  const sealed = /-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----([^-]+)-----END/.exec(pem)?.[1];
  try {
    if (sealed === undefined) return createPrivateKey({ key: pem, passphrase: password ?? '' });
    return createPrivateKey({ key: unsealed(sealed, password ?? ''), format: 'der', type: 'pkcs8' });
  } catch {
    const encrypted = sealed !== undefined || /ENCRYPTED/.test(pem);
    throw usageError(
      encrypted ? `${name} cannot be opened with its password` : `${name} holds no private key`,
      encrypted
        ? 'The environment variable COSIGN_PASSWORD holds the password.'
        : 'It is a PEM file: `cosign generate-key-pair` makes one, or `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`.',
    );
  }
}

interface Sealed {
  readonly kdf: {
    readonly name: string;
    readonly params: { readonly N: number; readonly r: number; readonly p: number };
    readonly salt: string;
  };
  readonly cipher: { readonly name: string; readonly nonce: string };
  readonly ciphertext: string;
}

/** What a key of cosign's holds: PKCS #8, sealed with a key that scrypt makes of the password. */
function unsealed(body: string, password: string): Buffer {
  const sealed = JSON.parse(Buffer.from(body, 'base64').toString('utf8')) as Sealed;
  const { kdf, cipher, ciphertext } = sealed;
  const { N, r, p } = kdf.params;
  if (kdf.name !== 'scrypt' || cipher.name !== 'nacl/secretbox') throw new Error('another cipher');
  if (128 * N * r > mostMemory) throw new Error('too costly');
  const salt = Buffer.from(kdf.salt, 'base64');
  const key = scryptSync(password, salt, 32, { N, r, p, maxmem: 2 * mostMemory });
  const opened = xsalsa20poly1305(key, Buffer.from(cipher.nonce, 'base64')).decrypt(
    Buffer.from(ciphertext, 'base64'),
  );
  return Buffer.from(opened);
}

/** Bytes: what cosign's own parameters take (64 MiB), and twice that. */
const mostMemory = 128 << 20;
