import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDockerArchive, writeOciArchive } from '../../src/oci/archive.ts';
import { readArchive } from '../../src/oci/archive-read.ts';
import { readLayout, writeLayout } from '../../src/oci/layout.ts';
import { isRoot } from '../support/skips.ts';
import { platform, smallImage } from '../unit/oci/images.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tsbuild-images-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8' });
const name = 'docker.io/library/small:1';

interface Inspected {
  readonly Digest: string;
  readonly Layers: readonly string[];
}

describe('what other programs make of our images', () => {
  it('skopeo and umoci read a layout', async () => {
    const folder = join(root, 'layout');
    const image = smallImage(join(root, 'a'), ['latest']);
    await writeLayout(folder, image);
    const seen = JSON.parse(run('skopeo', 'inspect', `oci:${folder}:latest`)) as Inspected;
    expect(seen.Digest).toBe(image.manifest.descriptor.digest);
    expect(seen.Layers).toEqual(image.layers.map((layer) => layer.descriptor.digest));
    run(
      'umoci',
      'unpack',
      ...(isRoot ? [] : ['--rootless']),
      '--image',
      `${folder}:latest`,
      join(root, 'bundle'),
    );
    const rootfs = join(root, 'bundle', 'rootfs');
    expect(readdirSync(join(rootfs, 'etc'))).toEqual(['link']);
    expect(readFileSync(join(rootfs, 'bin/x'), 'utf8')).toHaveLength(70_000);
  });

  it('skopeo copies both archives, and we read what it wrote', async () => {
    const image = smallImage(join(root, 'b'), [name]);
    const oci = join(root, 'oci.tar');
    const docker = join(root, 'docker.tar');
    await writeOciArchive(createWriteStream(oci), [image]);
    await writeDockerArchive(createWriteStream(docker), [image]);
    run('skopeo', 'copy', '-q', `oci-archive:${oci}:${name}`, `oci:${join(root, 'from-oci')}:x`);
    run('skopeo', 'copy', '-q', `docker-archive:${docker}:${name}`, `oci:${join(root, 'from-docker')}:x`);
    for (const folder of ['from-oci', 'from-docker']) {
      const [found] = await readLayout(join(root, folder), platform);
      expect(JSON.parse(found!.config.toString()).rootfs).toEqual(JSON.parse(image.config.toString()).rootfs);
      expect(found!.names).toEqual(['x']);
    }
    const theirs = { oci: join(root, 'theirs-oci.tar'), docker: join(root, 'theirs-docker.tar') };
    run('skopeo', 'copy', '-q', `oci:${join(root, 'from-oci')}:x`, `oci-archive:${theirs.oci}:${name}`);
    run('skopeo', 'copy', '-q', `oci:${join(root, 'from-oci')}:x`, `docker-archive:${theirs.docker}:${name}`);
    for (const [kind, file] of Object.entries(theirs)) {
      const folder = join(root, `read-${kind}`);
      mkdirSync(folder);
      const [found] = await readArchive(createReadStream(file), folder, platform);
      expect(found!.names).toEqual([name]);
      expect(JSON.parse(found!.config.toString()).rootfs).toEqual(JSON.parse(image.config.toString()).rootfs);
      expect(found!.layers).toHaveLength(3);
    }
  });
});
