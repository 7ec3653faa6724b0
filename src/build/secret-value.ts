import { readFile } from 'node:fs/promises';
import { BuildError } from '../core/errors.ts';
import type { SecretSource } from '../core/options.ts';

/** Bytes of a secret of `--secret`, or undefined where none has this id. Fails with `not-found`. */
export async function secretValue(id: string, secrets: readonly SecretSource[]): Promise<Buffer | undefined> {
  const source = secrets.find((one) => one.id === id);
  if (source === undefined) return undefined;
  if (source.env !== undefined) return Buffer.from(process.env[source.env] ?? '', 'utf8');
  try {
    return await readFile(source.file!);
  } catch (error) {
    throw new BuildError('not-found', `the file of the secret "${id}" cannot be read: ${source.file}`, {
      cause: error,
      hint: `Check --secret id=${id},src=FILE.`,
    });
  }
}
