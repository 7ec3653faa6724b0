import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, hexOf, isDigest } from '../core/digest.ts';
import type { Descriptor } from '../core/types.ts';
import { findBlob, tagsOf } from './layout-folder.ts';
import { maxManifestBytes } from './manifest.ts';

/** Names of blobs, and of what a broken write left of one. */
const ours = /^[0-9a-f]{64}(\.\d+\.tmp)?$/;

/**
 * Takes away the blobs of an OCI layout folder that nothing in its `index.json` leads to, and what broken writes left.
 * Nobody else may be writing to it.
 */
export async function sweepLayout(folder: string): Promise<void> {
  const kept = new Set<string>();
  for (const entry of await tagsOf(folder)) keep(folder, entry, kept);
  const blobs = join(folder, 'blobs', 'sha256');
  for (const name of readdirSync(blobs)) {
    if (ours.test(name) && !kept.has(name)) rmSync(join(blobs, name), { force: true });
  }
}

/** Notes a blob and, where it is a manifest of any kind, every blob whose digest it names. */
function keep(
  folder: string,
  { digest, mediaType }: Pick<Descriptor, 'digest' | 'mediaType'>,
  kept: Set<string>,
): void {
  if (kept.has(hexOf(digest))) return;
  kept.add(hexOf(digest));
  const path = findBlob(folder, digest);
  if (path === undefined || !mediaType.endsWith('json') || statSync(path).size > maxManifestBytes) return;
  for (const named of descriptorsIn(jsonOf(path))) keep(folder, named, kept);
}

function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whatever in a document looks like a descriptor, in the manifests that are known and in those to come. */
function descriptorsIn(value: unknown): { readonly digest: Digest; readonly mediaType: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const { digest, mediaType } = value as { digest?: unknown; mediaType?: unknown };
  const isNamed = typeof digest === 'string' && isDigest(digest);
  const own = isNamed ? [{ digest, mediaType: typeof mediaType === 'string' ? mediaType : '' }] : [];
  return [...own, ...Object.values(value).flatMap(descriptorsIn)];
}
