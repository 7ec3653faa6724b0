import { readFile, stat } from 'node:fs/promises';
import { BuildError } from '../core/errors.ts';
import type { SecretSource } from '../core/options.ts';

/** The most a secret may hold: larger things are files, and belong into the context. */
const LARGEST = 500 * 1024;

/** The bytes of a secret, or undefined where none was given under this id. Fails with `not-found` or `usage`. */
export async function secretValue(id: string, secrets: readonly SecretSource[]): Promise<Buffer | undefined> {
  const source = secrets.find((one) => one.id === id);
  if (source === undefined) return undefined;
  const value =
    source.env === undefined ? await fileValue(source) : Buffer.from(process.env[source.env] ?? '');
  if (value.length > LARGEST) throw tooLarge(id);
  return value;
}

async function fileValue({ id, file = '' }: SecretSource): Promise<Buffer> {
  try {
    if ((await stat(file)).size > LARGEST) throw tooLarge(id);
    return await readFile(file);
  } catch (error) {
    if (error instanceof BuildError) throw error;
    throw new BuildError('not-found', `the file of the secret "${id}" cannot be read: ${file}`, {
      cause: error,
      hint: `Check --secret id=${id},src=FILE.`,
    });
  }
}

function tooLarge(id: string): BuildError {
  return new BuildError('usage', `the secret "${id}" is too big: a secret holds at most 500 KiB`, {
    hint: 'Mount larger files from a context of their own, with --build-context and RUN --mount=from.',
  });
}
