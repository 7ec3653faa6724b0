import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxBase } from './base-images.ts';
import { must } from './programs.ts';
import { once } from './shared.ts';

/** An image that is there for several platforms, in the forms that builders take. */
export interface IndexBase {
  readonly name: string;
  /** An OCI layout folder; the tag of its index is `image`. */
  readonly layout: string;
  /** The same as an OCI archive that carries the name. */
  readonly archive: string;
}

type Json = Readonly<Record<string, unknown>>;

/** As `architecture` or `architecture/variant`; the processor of this machine is amd64. */
const platforms = ['amd64', 'arm64', 'arm/v7', '386'];

/**
 * The busybox base once more for every platform: the same layers under other configurations. What only copies files
 * can be built on any of them.
 */
export async function busyboxIndex(): Promise<IndexBase> {
  const name = 'localhost/tsbuild-test/several:1';
  const folder = await once('base-several', async (temporary) => {
    const layout = join(temporary, 'layout');
    await must(['cp', '-a', (await busyboxBase()).layout, layout]);
    writeIndex(layout, 'image');
    await must(['cp', '-a', layout, join(temporary, 'named')]);
    writeIndex(join(temporary, 'named'), name);
    await must(['tar', '-C', join(temporary, 'named'), '-cf', join(temporary, 'archive.tar'), '.']);
    await must(['chmod', '-R', 'a+rX', temporary]);
  });
  return { name, layout: join(folder, 'layout'), archive: join(folder, 'archive.tar') };
}

/** Makes the layout's image one of several, named by an index. */
export function writeIndex(layout: string, name: string): void {
  const top = read(layout, 'index.json') as { manifests: readonly Json[] };
  const first = firstManifest(layout, top.manifests[0]!);
  const config = blob(layout, String((first.config as Json).digest));
  const manifests = platforms.map((platform) => {
    const [architecture, variant] = platform.split('/') as [string, string?];
    const own = { architecture, ...(variant !== undefined && { variant }) };
    const described = { ...(first.config as Json), ...put(layout, { ...config, ...own }) };
    const manifest = put(layout, { ...first, config: described });
    return { mediaType: first.mediaType, ...manifest, platform: { os: 'linux', ...own } };
  });
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const index = { mediaType, ...put(layout, { schemaVersion: 2, mediaType, manifests }) };
  const named = { ...index, annotations: { 'org.opencontainers.image.ref.name': name } };
  writeFileSync(
    join(layout, 'index.json'),
    JSON.stringify({ schemaVersion: 2, mediaType, manifests: [named] }),
  );
}

function firstManifest(layout: string, { digest }: Json): Json {
  const found = blob(layout, String(digest));
  const members = found.manifests as readonly Json[] | undefined;
  return members === undefined ? found : firstManifest(layout, members[0]!);
}

function blob(layout: string, digest: string): Json {
  return read(layout, `blobs/sha256/${digest.slice(7)}`);
}

function read(layout: string, path: string): Json {
  return JSON.parse(readFileSync(join(layout, path), 'utf8')) as Json;
}

function put(layout: string, json: Json): { readonly digest: string; readonly size: number } {
  const bytes = Buffer.from(JSON.stringify(json));
  const hex = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(join(layout, 'blobs/sha256', hex), bytes);
  return { digest: `sha256:${hex}`, size: bytes.length };
}
