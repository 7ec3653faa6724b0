import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Something to put into a layer; kept apart from the product's own tar writer, so that neither judges itself. */
export interface TarEntry {
  readonly path: string;
  readonly type: 'file' | 'dir' | 'symlink' | 'hardlink';
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly content?: Uint8Array;
  readonly link?: string;
}

export interface ImageConfig {
  readonly Env?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly OnBuild?: readonly string[];
  readonly Labels?: Readonly<Record<string, string>>;
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly [other: string]: unknown;
}

/** The architecture of this machine, as images name it. */
export const hostArchitecture = process.arch === 'x64' ? 'amd64' : process.arch;

/** A plain ustar archive (paths below 100 bytes), every time 2001-09-09T01:46:40Z. */
export function ustar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? '');
    return [header(entry, content.length), content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Writes an OCI layout folder with one image of the given tars and the tag `image`. */
export function writeLayout(folder: string, tars: readonly Uint8Array[], config: ImageConfig): void {
  writeWholeLayout(folder, tars, { config });
}

/** As `writeLayout`, with other members of the configuration beside `config`, or instead of the usual ones. */
export function writeWholeLayout(folder: string, tars: readonly Uint8Array[], members: object): void {
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
  const packed = tars.map((tar) => ({ diffId: digestOf(tar), ...blob(folder, gzipSync(tar, { level: 1 })) }));
  const configBlob = blob(
    folder,
    json(
      configOf(
        members,
        packed.map((layer) => layer.diffId),
      ),
    ),
  );
  const type = (kind: string) => `application/vnd.oci.image.${kind}`;
  const manifest = {
    schemaVersion: 2,
    mediaType: type('manifest.v1+json'),
    config: { mediaType: type('config.v1+json'), ...configBlob },
    layers: packed.map(({ digest, size }) => ({ mediaType: type('layer.v1.tar+gzip'), digest, size })),
  };
  const annotations = { [refName]: 'image' };
  const descriptor = { mediaType: type('manifest.v1+json'), ...blob(folder, json(manifest)), annotations };
  writeFileSync(join(folder, 'index.json'), json({ schemaVersion: 2, manifests: [descriptor] }));
  writeFileSync(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
}

/** The parsed manifest and config of the only image in an OCI layout folder, and the manifest's digest. */
export function readLayout(folder: string): { manifest: Manifest; config: Config; digest: string } {
  const read = (digest: string) =>
    JSON.parse(readFileSync(join(folder, 'blobs/sha256', digest.slice(7)), 'utf8')) as unknown;
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Index;
  const digest = index.manifests[0]?.digest ?? '';
  const manifest = read(digest) as Manifest;
  return { manifest, config: read(manifest.config.digest) as Config, digest };
}

/** Gives the only image of an OCI layout folder the tag `image`, once every blob was found to be what its name says. */
export function tagLayout(folder: string): void {
  const blobs = join(folder, 'blobs/sha256');
  for (const name of readdirSync(blobs))
    if (digestOf(readFileSync(join(blobs, name))) !== `sha256:${name}`)
      throw new Error(`${folder}: the blob ${name} has another digest`);
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Index;
  const manifests = index.manifests.map((one) => ({ ...one, annotations: { [refName]: 'image' } }));
  writeFileSync(join(folder, 'index.json'), json({ ...index, manifests }));
}

const refName = 'org.opencontainers.image.ref.name';

interface Index {
  readonly manifests: readonly { readonly digest: string }[];
}

export interface Manifest {
  readonly mediaType?: string;
  readonly config: { readonly digest: string; readonly mediaType: string };
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly mediaType: string }[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Config {
  readonly created?: string;
  readonly architecture: string;
  readonly os: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly rootfs: { readonly diff_ids: readonly string[] };
  readonly history: readonly { readonly created_by?: string; readonly empty_layer?: boolean }[];
}

function configOf(members: object, diffIds: readonly string[]): unknown {
  const created = '2001-09-09T01:46:40Z';
  const history = diffIds.map(() => ({ created, created_by: 'tests' }));
  return {
    created,
    architecture: hostArchitecture,
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: diffIds },
    history,
    ...members,
  };
}

function blob(folder: string, bytes: Uint8Array): { digest: string; size: number } {
  const digest = digestOf(bytes);
  writeFileSync(join(folder, 'blobs/sha256', digest.slice(7)), bytes);
  return { digest, size: bytes.length };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

const typeFlags = { file: '0', hardlink: '1', symlink: '2', dir: '5' };

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, width: number) =>
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  block.write(entry.type === 'dir' ? `${entry.path}/` : entry.path, 0);
  octal(entry.mode, 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(size, 124, 12);
  octal(1_000_000_000, 136, 12);
  block.write('        ', 148);
  block.write(typeFlags[entry.type], 156);
  block.write(entry.link ?? '', 157);
  block.write('ustar\x0000', 257);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}
