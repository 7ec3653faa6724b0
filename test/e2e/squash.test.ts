import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const base = 'localhost/tsbuild-test/busybox:1';
const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];

/** Everything that a layer can do to those below it. */
const layers = [
  'rm -r /opt/old; echo new >/new; ln /new /same; mkdir /t; echo 1 >/t/1; echo 0 >/etc/motd',
  'mkdir /opt/old; echo z >/opt/old/z; rm /opt/link; ln -s /opt /opt/link; echo t >/tmp/t; chmod 700 /home',
  'rm /opt/link; mkdir /opt/link; echo r >/opt/link/r; rm /tmp/t; echo more >>/same; rm /opt/pair-1',
  'rm -r /t; echo t >/t; mkfifo /opt/p; chown 33:33 /opt/pair-2; mkdir -p /a/b; touch -d 2001-01-01 /a/b',
];

describe.skipIf(skip('squash', { programs: ['busybox', 'tar'] })).each(people)('--squash as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
    const steps = layers.map((step) => `RUN ${step}\n`).join('');
    writeFileSync(join(tsbuild.folder, 'Containerfile'), `FROM ${base}\n${steps}`);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  const files = async (name: string, ...flags: readonly string[]): Promise<string> => {
    const tar = join(tsbuild.folder, `${name}.tar`);
    await tsbuild.must(['build', '-q', '-t', name, '-o', `type=tar,dest=${tar}`, ...flags, '.']);
    return execFileSync('tar', ['-tvf', tar, '--full-time', '--numeric-owner'], { encoding: 'utf8' });
  };
  const layersOf = async (name: string): Promise<readonly string[]> => {
    const [image] = JSON.parse(await tsbuild.must(['inspect', name])) as readonly Inspected[];
    return image!.RootFS.Layers;
  };

  it('makes one layer of what the build adds, or of all, and the files stay the same', async () => {
    const plain = await files('plain');
    const before = await layersOf('plain');
    expect(await files('new', '--squash')).toBe(plain);
    expect(await files('all', '--squash-all')).toBe(plain);
    const squashed = await layersOf('new');
    expect(squashed.slice(0, -1)).toEqual(before.slice(0, -layers.length));
    const history = await tsbuild.must(['history', 'new']);
    expect(history.split('\n')[1]).toContain('SQUASH 4 layers');
    expect(history.match(/RUN .* 0B|0B +RUN /g), history).toHaveLength(4);
    expect(await layersOf('all')).toHaveLength(1);
  });

  it('leaves nothing in the layer of what was there for a while', async () => {
    const layout = join(tsbuild.folder, 'layout');
    await tsbuild.must(['build', '-q', '--squash', '-o', `type=oci,tar=false,dest=${layout}`, '.']);
    const { layers: own } = manifestIn(layout);
    const blob = join(layout, 'blobs', own.at(-1)!.digest.replace(':', '/'));
    const names = execFileSync('tar', ['-tzf', blob], { encoding: 'utf8' }).split('\n');
    expect(names.filter((name) => /^(t\/|tmp\/t)|\.wh\.(t|new)$/.test(name))).toEqual([]);
    expect(names.filter((name) => name.includes('.wh.')).sort()).toEqual([
      ...['opt/.wh.pair-1', 'opt/link/.wh..wh..opq', 'opt/old/.wh..wh..opq'],
    ]);
  });

  it('gives the same bytes for the same steps, with their times clamped', async () => {
    const id = (...flags: readonly string[]) =>
      tsbuild.must(['build', '-q', '--squash', '--timestamp', '1000000000', ...flags, '.']);
    const first = await id();
    expect(await id()).toBe(first);
    const kept = await id('-o', `type=oci,dest=${tsbuild.folder}/kept.tar,rewrite-timestamp=false`);
    expect(kept).not.toBe(first);
    expect(await id()).toBe(first);
  });
});

interface Inspected {
  readonly RootFS: { readonly Layers: readonly string[] };
}

interface Index {
  readonly manifests: readonly { readonly digest: string }[];
}

function manifestIn(layout: string) {
  const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as Index;
  const file = join(layout, 'blobs', manifests[0]!.digest.replace(':', '/'));
  return JSON.parse(readFileSync(file, 'utf8')) as { readonly layers: Index['manifests'] };
}
