import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { LayeredView } from '../../builder/view.ts';
import { golang, npm, python } from '../attest/sbom/language-packages.ts';
import type { Cataloger, Package, ReadableFile } from '../attest/sbom/package.ts';
import { purlOf, textOf } from '../attest/sbom/package.ts';
import { apk, dpkg, rpm } from '../attest/sbom/system-packages.ts';
import type { Layers } from '../core/store.ts';
import type { Image } from '../core/types.ts';
import { contentPath } from './filesystem.ts';

const catalogers: readonly Cataloger[] = [dpkg, apk, rpm, npm, python, golang];

/**
 * The packages that an image holds, found in its own files, sorted by address; no program of it is run. Of the names of
 * one file the first counts that tells of packages: pnpm and uv link files of their own store into projects.
 */
export async function packagesIn(
  image: Image,
  layers: Layers,
  signal: AbortSignal,
): Promise<readonly Package[]> {
  const view = LayeredView.of(image.layers, layers, signal);
  const found: Package[] = [];
  const read = new Set<string>();
  let release = '';
  for (const entry of await view.walk('')) {
    signal.throwIfAborted();
    if (entry.type !== 'file' || entry.size === 0) continue;
    const readers = catalogers.filter(({ reads }) => reads(entry.path, entry.mode));
    const isRelease = /^(?:etc|usr\/lib)\/os-release$/.test(entry.path);
    if (readers.length === 0 && !isRelease) continue;
    const { layer, path } = view.placeOf(entry);
    const key = `${layer.diffId}/${path}`;
    if (read.has(key)) continue;
    const before = found.length;
    await reading(entry.path, contentPath(await layers.tree(layer, signal), path), async (file) => {
      if (isRelease) release = textOf(file, 1 << 16);
      for (const { packages } of readers) for (const one of await packages(file)) found.push(one);
    });
    if (found.length > before) read.add(key);
  }
  const distribution = distributionIn(release);
  const known = found.map((one) => withDistribution(one, distribution));
  const keyed = new Map(known.map((one) => [`${purlOf(one)} ${one.path}`, one]));
  return [...keyed].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

async function reading(
  path: string,
  content: string | Buffer,
  use: (file: ReadableFile) => Promise<void>,
): Promise<void> {
  const fd = openSync(content, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = fstatSync(fd);
    const slice = (offset: number, length: number): Buffer => {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
      return bytes.subarray(0, bytes.length === 0 ? 0 : readSync(fd, bytes, 0, bytes.length, offset));
    };
    await use({ path, size, slice });
  } finally {
    closeSync(fd);
  }
}

interface Distribution {
  readonly id: string;
  readonly version: string;
}

function distributionIn(release: string): Distribution {
  const word = (name: string): string => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(release)?.[1] ?? '';
  return { id: word('ID'), version: word('VERSION_ID') };
}

/** Packages of a distribution are named by it (purl-spec: namespace, and `distro`). */
function withDistribution(one: Package, { id, version }: Distribution): Package {
  if (id === '' || !['deb', 'apk', 'rpm'].includes(one.type)) return one;
  const distro = version === '' ? id : `${id}-${version}`;
  return { ...one, namespace: id, qualifiers: { ...one.qualifiers, distro } };
}
