import { createPublicKey, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import type { SshAgent } from './ssh-agent.ts';
import { curves } from './ssh-key.ts';
import {
  FAILURE,
  IDENTITIES_ANSWER,
  mpint,
  REQUEST_IDENTITIES,
  Reader,
  SIGN_REQUEST,
  SIGN_RESPONSE,
  string,
  uint32,
} from './ssh-wire.ts';

/** A key as an agent shows it. */
export interface Identity {
  readonly key: KeyObject;
  /** What `ssh-add -l` prints beside it. */
  readonly comment: string;
}

/** An agent that signs with keys of ours: nothing has to run, and nothing stays behind. */
export function keyring(identities: readonly Identity[]): SshAgent {
  const known = identities.map((identity) => ({ ...identity, blob: blobOf(identity.key) }));
  const ask = async (request: Buffer): Promise<Buffer> => {
    if (request[0] === REQUEST_IDENTITIES) return listOf(known);
    if (request[0] !== SIGN_REQUEST) return failure();
    try {
      return signed(new Reader(request.subarray(1)), known);
    } catch (error) {
      if (error instanceof RangeError) return failure();
      throw error;
    }
  };
  return { connect: async () => ({ ask, [Symbol.asyncDispose]: async () => {} }) };
}

interface KnownIdentity extends Identity {
  readonly blob: Buffer;
}

function failure(): Buffer {
  return Buffer.from([FAILURE]);
}

function listOf(known: readonly KnownIdentity[]): Buffer {
  const entries = known.map(({ blob, comment }) => Buffer.concat([string(blob), string(comment)]));
  return Buffer.concat([Buffer.from([IDENTITIES_ANSWER]), uint32(known.length), ...entries]);
}

function signed(request: Reader, known: readonly KnownIdentity[]): Buffer {
  const blob = request.string();
  const data = request.string();
  const flags = request.uint32();
  const found = known.find((identity) => identity.blob.equals(blob));
  if (found === undefined) return failure();
  const { name, signature } = signatureOf(found.key, data, flags);
  const whole = Buffer.concat([string(name), string(signature)]);
  return Buffer.concat([Buffer.from([SIGN_RESPONSE]), string(whole)]);
}

/** Flags of a request for an RSA signature; without one it would be SHA-1, which servers refuse. */
const RSA_SHA2_512 = 4;

function signatureOf(key: KeyObject, data: Buffer, flags: number): { name: string; signature: Buffer } {
  if (key.asymmetricKeyType === 'ed25519') return { name: 'ssh-ed25519', signature: sign(null, data, key) };
  if (key.asymmetricKeyType === 'rsa') {
    const bits = (flags & RSA_SHA2_512) !== 0 ? 512 : 256;
    return { name: `rsa-sha2-${bits}`, signature: sign(`sha${bits}`, data, key) };
  }
  const { ssh, hash, size } = curveOf(jwkOf(key));
  const pair = sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  const signature = Buffer.concat([mpint(pair.subarray(0, size)), mpint(pair.subarray(size))]);
  return { name: `ecdsa-sha2-${ssh}`, signature };
}

/** The public key as ssh sends it. */
function blobOf(key: KeyObject): Buffer {
  const jwk = jwkOf(key);
  if (jwk.kty === 'OKP') return Buffer.concat([string('ssh-ed25519'), string(bytes(jwk.x))]);
  if (jwk.kty === 'RSA') return Buffer.concat([string('ssh-rsa'), mpint(bytes(jwk.e)), mpint(bytes(jwk.n))]);
  const { ssh } = curveOf(jwk);
  const point = Buffer.concat([Buffer.from([4]), bytes(jwk.x), bytes(jwk.y)]);
  return Buffer.concat([string(`ecdsa-sha2-${ssh}`), string(ssh), string(point)]);
}

function jwkOf(key: KeyObject): JsonWebKey {
  return createPublicKey(key).export({ format: 'jwk' });
}

function curveOf({ crv }: JsonWebKey): (typeof curves)[number] {
  return curves.find(({ jwk }) => jwk === crv)!;
}

function bytes(coded: string | undefined): Buffer {
  return Buffer.from(coded ?? '', 'base64url');
}
