import { createPublicKey, generateKeyPairSync, randomBytes, scryptSync, verify } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa';
import { describe, expect, it } from 'vitest';
import { signerOf } from '../../../src/attest/signing-key.ts';

const payload = Buffer.from('payload');
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ed25519 = generateKeyPairSync('ed25519').privateKey;
const pem = (key: typeof ec, type: 'pkcs8' | 'sec1' | 'pkcs1' = 'pkcs8'): string =>
  key.export({ format: 'pem', type: type as 'pkcs8' }) as string;

/** What `cosign generate-key-pair` writes, but for its choice of salt and nonce. */
function sealed(password: string, { N = 65536, label = 'SIGSTORE' } = {}): string {
  const [salt, nonce] = [randomBytes(32), randomBytes(24)];
  const key = scryptSync(password, salt, 32, { N: Math.min(N, 65536), r: 8, p: 1, maxmem: 1 << 28 });
  const der = ec.export({ format: 'der', type: 'pkcs8' });
  const body = {
    kdf: { name: 'scrypt', params: { N, r: 8, p: 1 }, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(xsalsa20poly1305(key, nonce).encrypt(der)).toString('base64'),
  };
  const text = Buffer.from(JSON.stringify(body)).toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN ENCRYPTED ${label} PRIVATE KEY-----\n${text}\n-----END ENCRYPTED ${label} PRIVATE KEY-----\n`;
}

describe('a signing key', () => {
  it.each([
    ['PKCS #8', pem(ec), undefined, ec],
    ['SEC 1', pem(ec, 'sec1'), undefined, ec],
    ['RSA in PKCS #1', pem(rsa, 'pkcs1'), undefined, rsa],
    ['Ed25519', pem(ed25519), undefined, ed25519],
    [
      'encrypted PKCS #8',
      ec.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'word' }) as string,
      'word',
      ec,
    ],
    ['cosign’s', sealed('word'), 'word', ec],
    ['cosign’s older', sealed('word', { label: 'COSIGN' }), 'word', ec],
    ['cosign’s without a password', sealed(''), undefined, ec],
  ])('is read as %s', (_, text, password, key) => {
    const signer = signerOf({ name: 'key', pem: text, password });
    const signature = signer.sign(payload);
    const algorithm = key === ed25519 ? null : 'sha256';
    expect(verify(algorithm, payload, createPublicKey(key), Buffer.from(signature, 'base64'))).toBe(true);
    expect(signer.verifies(payload, signature)).toBe(true);
    expect(signer.verifies(Buffer.from('other'), signature)).toBe(false);
    expect(signer.verifies(payload, 'nonsense')).toBe(false);
  });

  it.each([
    ['a wrong password', sealed('word'), 'other', /cannot be opened/],
    ['no password', sealed('word'), undefined, /cannot be opened/],
    ['a seal that costs too much', sealed('word', { N: 1 << 30 }), 'word', /cannot be opened/],
    [
      'a public key',
      createPublicKey(ec).export({ format: 'pem', type: 'spki' }) as string,
      undefined,
      /no private key/,
    ],
    ['no key', 'text', undefined, /no private key/],
    ['X25519', pem(generateKeyPairSync('x25519').privateKey as typeof ec), undefined, /x25519/],
  ])('is refused with %s', (_, text, password, message) => {
    expect(() => signerOf({ name: 'key', pem: text, password })).toThrow(message);
  });
});
