import { readFileSync } from 'node:fs';
import { signerOf } from '../attest/signing-key.ts';
import { errnoOf, usageError } from '../core/errors.ts';
import type { Signer } from '../oci/signature.ts';

/** The key that signs: of a file, or of a variable (`env://NAME`). Fails with `usage`. */
export function openSigner(key: string, env: NodeJS.ProcessEnv): Signer {
  const password = env.COSIGN_PASSWORD;
  const variable = /^env:\/\/(.+)$/.exec(key)?.[1];
  const pem = variable === undefined ? readKey(key) : env[variable];
  if (pem !== undefined) return signerOf({ name: key, pem, password });
  throw usageError(`--sign ${key}: there is no such variable`, 'Set it to the text of a PEM file.');
}

function readKey(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw usageError(
      `--sign: the key ${path} cannot be read (${errnoOf(error) ?? 'unknown'})`,
      'Name the file of a private key, or env://NAME.',
    );
  }
}
