import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Entry, Listing } from '../../src/core/types.ts';
import { ListingBuilder } from '../../src/oci/listing.ts';
import { TarReader } from '../../src/oci/tar-read.ts';
import { readLayout } from './oci-layout.ts';

/**
 * The differences between the only images of two OCI layout folders, layer by layer, one line each; everything counts
 * but times.
 */
export function compareImages(ours: string, theirs: string): string[] {
  const [first, second] = [ours, theirs].map((layout) => readLayout(layout).manifest.layers) as [
    Layers,
    Layers,
  ];
  if (first.length !== second.length) return [`${first.length} layers and ${second.length}`];
  return first.flatMap((layer, n) => {
    const other = second[n]!;
    if (layer.digest === other.digest) return [];
    return compareLayers(listingOf(ours, layer.digest), listingOf(theirs, other.digest));
  });
}

type Layers = ReturnType<typeof readLayout>['manifest']['layers'];

/** What a layer of an OCI layout folder holds. */
export function listingOf(layout: string, digest: string): Listing {
  const bytes = readFileSync(join(layout, 'blobs/sha256', digest.slice(7)));
  const builder = new ListingBuilder();
  const reader = new TarReader(builder);
  reader.write(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
  reader.finish();
  return builder.finish();
}

/** The differences between two layers, one line each, sorted; everything counts but times. */
function compareLayers(ours: Listing, theirs: Listing): string[] {
  const [first, second] = [byName(ours), byName(theirs)];
  const names = [...new Set([...first.keys(), ...second.keys()])].sort();
  return names.flatMap((name) => {
    const [a, b] = [first.get(name), second.get(name)];
    if (a === undefined) return [`${name}: only in the second, ${ownerOf(b)}`];
    if (b === undefined) return [`${name}: only in the first, ${ownerOf(a)}`];
    return aspectsOf(a, b).map(([aspect, x, y]) => `${name}: ${aspect} ${x} and ${y}`);
  });
}

/** A whiteout bears the name of what it removes. */
function byName(listing: Listing): Map<string, Entry> {
  return new Map(
    listing.map((entry) => [`/${entry.path}${entry.type === 'opaque' ? ' (opaque)' : ''}`, entry]),
  );
}

function ownerOf(entry: Entry | undefined): string {
  return `${entry?.type} ${entry?.uid}:${entry?.gid}`;
}

function aspectsOf(a: Entry, b: Entry): [string, string, string][] {
  const pairs = Object.keys({ ...seen(a), ...seen(b) }).map((key): [string, string, string] => [
    key,
    String(seen(a)[key]),
    String(seen(b)[key]),
  ]);
  return pairs.filter(([, x, y]) => x !== y);
}

function seen(entry: Entry): Record<string, string | number | undefined> {
  const { type, mode, uid, gid, link, digest } = entry;
  return {
    type,
    mode: mode.toString(8),
    owner: `${uid}:${gid}`,
    link,
    content: digest,
    device: entry.device && `${entry.device.major}:${entry.device.minor}`,
    xattrs: JSON.stringify(Object.entries(entry.xattrs ?? {}).sort()),
  };
}
