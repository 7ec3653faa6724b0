import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { LayeredView } from '../../builder/view.ts';
import { golang, npm, python } from '../attest/sbom/language-packages.ts';
import type { Cataloger, Package, ReadableFile } from '../attest/sbom/package.ts';
import { purlOf, textOf } from '../attest/sbom/package.ts';
import { apk, dpkg, rpm } from '../attest/sbom/system-packages.ts';
import type { Layers } from '../core/store.ts';
import type { Image } from '../core/types.ts';
import { filesOf } from './filesystem.ts';

const catalogers: readonly Cataloger[] = [dpkg, apk, rpm, npm, python, golang];

/** The packages that an image holds, found in its own files, sorted by address; no program of it is run. */
export async function packagesIn(
  image: Image,
  layers: Layers,
  signal: AbortSignal,
): Promise<readonly Package[]> {
  const view = LayeredView.of(image.layers, layers, signal);
  const found: Package[] = [];
  let release = '';
  for await (const { entry, content } of filesOf(view, layers, signal)) {
    if (entry.type !== 'file' || content === undefined) continue;
    const readers = catalogers.filter(({ reads }) => reads(entry.path, entry.mode));
    const isRelease = /^(?:etc|usr\/lib)\/os-release$/.test(entry.path);
    if (readers.length === 0 && !isRelease) continue;
    await reading(entry.path, content, async (file) => {
      if (isRelease) release = textOf(file, 1 << 16);
      for (const { packages } of readers) found.push(...(await packages(file)));
    });
  }
  const known = found.map((one) => withDistribution(one, release));
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

/** Packages of a distribution are named by it (purl-spec: namespace, and `distro`). */
function withDistribution(one: Package, release: string): Package {
  if (!['deb', 'apk', 'rpm'].includes(one.type)) return one;
  const word = (name: string): string => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(release)?.[1] ?? '';
  const [id, version] = [word('ID'), word('VERSION_ID')];
  if (id === '') return one;
  const distro = version === '' ? id : `${id}-${version}`;
  return { ...one, namespace: id, qualifiers: { ...one.qualifiers, distro } };
}
