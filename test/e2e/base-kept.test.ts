import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { readLayout } from '../support/oci-layout.ts';
import { must } from '../support/programs.ts';
import { skip } from '../support/skips.ts';
import { newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

const needs = { programs: ['skopeo', 'umoci', 'busybox'] };
/** Before any time in the base. */
const year1998 = '900000000';

/*
 * What a base may not change: the manifest and the format of the image that is built on it. What the build may not
 * change: the layers of its base.
 */
describe.skipIf(skip('what stays of a base', needs))('an image built on a base', () => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild('root');
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  it('has the layers of the base byte for byte, whatever the epoch, and none of its annotations', async () => {
    const base = await annotatedBase(tsbuild);
    const built = await build(tsbuild, base.name, { SOURCE_DATE_EPOCH: year1998 });
    const layers = built.manifest.layers.slice(0, base.layers.length);
    expect(layers.map(({ digest }) => digest)).toEqual(base.layers);
    expect(built.manifest.layers).toHaveLength(base.layers.length + 1);
    expect(JSON.stringify(built.manifest)).not.toContain('example.note');
  });

  it("has the format that was asked for, not that of the base's registry", async () => {
    const { name } = await dockerBase(tsbuild);
    const { manifest } = await build(tsbuild, name, {});
    expect(manifest.config.mediaType).toBe('application/vnd.oci.image.config.v1+json');
    const types = manifest.layers.map(({ mediaType }) => mediaType);
    expect(types.filter((type) => !type.startsWith('application/vnd.oci.image.layer.v1.tar'))).toEqual([]);
  });
});

async function build(tsbuild: Tsbuild, base: string, env: Record<string, string>) {
  const cwd = join(tsbuild.folder, base.replaceAll(/\W/g, '-'));
  await must(['mkdir', cwd]);
  writeFileSync(join(cwd, 'Containerfile'), `FROM ${base}\nCOPY Containerfile /own\n`);
  await tsbuild.must(['build', '-o', 'type=oci,tar=false,dest=out', '.'], { cwd, env });
  return readLayout(join(cwd, 'out'));
}

/** The busybox base under another name, its manifest with an annotation. */
async function annotatedBase(tsbuild: Tsbuild): Promise<{ name: string; layers: string[] }> {
  const name = 'localhost/tsbuild-test/annotated:1';
  const layout = join(tsbuild.folder, 'annotated');
  const { layout: from } = await busyboxBase();
  await must(['skopeo', 'copy', '-q', `oci:${from}:image`, `oci:${layout}:image`]);
  await must(['umoci', 'config', '--image', `${layout}:image`, '--manifest.annotation', 'example.note=x']);
  await must(['skopeo', 'copy', '-q', `oci:${layout}:image`, `oci:${layout}.named:${name}`]);
  await tsbuild.must(['load', '-i', `${layout}.named`]);
  const { manifest } = readLayout(`${layout}.named`);
  expect(manifest.annotations).toEqual({ 'example.note': 'x' });
  return { name, layers: manifest.layers.map(({ digest }) => digest) };
}

/** The busybox base as docker keeps it. */
async function dockerBase(tsbuild: Tsbuild): Promise<{ name: string }> {
  const base = await busyboxBase();
  await tsbuild.must(['load', '-i', base.archive]);
  return base;
}
