import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { digestOf } from '../../src/core/digest.ts';
import type { State } from './hostile-registry/registry.mjs';
import type { RegistryServer } from './registry-server.ts';

type Stored = NonNullable<ReturnType<State['manifest']>>;

/** What a docker-registry holds, read from and written into its folder, past everything that it asks of clients. */
export function stateOnDisk({ data, log }: Pick<RegistryServer, 'data' | 'log'>): State {
  const root = join(data, 'docker/registry/v2');
  const hex = (digest: string): string => digest.slice('sha256:'.length);
  const blobFile = (digest: string): string =>
    join(root, 'blobs/sha256', hex(digest).slice(0, 2), hex(digest), 'data');
  const inside = (repository: string, ...rest: string[]): string =>
    join(root, 'repositories', repository, ...rest);
  const layerLink = (repository: string, digest: string): string =>
    inside(repository, '_layers/sha256', hex(digest), 'link');
  const revisionLink = (repository: string, digest: string): string =>
    inside(repository, '_manifests/revisions/sha256', hex(digest), 'link');
  const tagLink = (repository: string, tag: string): string =>
    inside(repository, '_manifests/tags', tag, 'current/link');
  const blobs: Pick<State['blobs'], 'get'> = { get: (digest) => readIfThere(blobFile(digest)) };

  const state = {
    blobs: blobs as State['blobs'],
    manifests: new Map(),
    uploads: new Map(),
    get received() {
      // The configuration is sent each time; bytes are not logged.
      return (log().match(/"PUT \/v2\/[^ ]*blobs\/uploads/g) ?? []).length > 1 ? Number.POSITIVE_INFINITY : 0;
    },
    has: (repository: string, digest: string) =>
      [layerLink(repository, digest), blobFile(digest)].every((file) => existsSync(file)),
    manifest(repository: string, reference: string): Stored | undefined {
      const isDigest = reference.includes(':');
      const link = isDigest ? revisionLink(repository, reference) : tagLink(repository, reference);
      const digest = readIfThere(link)?.toString();
      const bytes = digest === undefined ? undefined : readIfThere(blobFile(digest));
      return bytes === undefined ? undefined : { type: '', bytes, digest: digest! };
    },
    addBlob(repository: string, bytes: Buffer) {
      const digest = digestOf(bytes);
      write(blobFile(digest), bytes);
      write(layerLink(repository, digest), digest);
      return digest;
    },
    addManifest(repository: string, tag: string, { type, bytes }: { type: string; bytes: Buffer }) {
      const digest = digestOf(bytes);
      write(blobFile(digest), bytes);
      write(revisionLink(repository, digest), digest);
      write(tagLink(repository, tag), digest);
      return { type, bytes, digest };
    },
  };
  return state;
}

function readIfThere(file: string): Buffer | undefined {
  return existsSync(file) ? readFileSync(file) : undefined;
}

function write(file: string, content: string | Buffer): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}
