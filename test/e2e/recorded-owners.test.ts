import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { readLayout } from '../support/oci-layout.ts';
import { must } from '../support/programs.ts';
import { skip } from '../support/skips.ts';
import { buildLayout, loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

/** What a step does, by what must be the same in its layer as where true root did it. */
const scripts: Readonly<Record<string, string>> = {
  'owners of new files': 'echo a > /opt/a; chown 1000:33 /opt/a; mkdir /opt/d; chown -R 33:500 /opt/d',
  'a file of a layer below': 'chown 12:34 /opt/pair-1 /opt/old/b',
  'setuid is cleared by chown': 'chown 33:33 /opt/setuid',
  'links and fifos': 'ln -s x /opt/l; chown -h 7:8 /opt/l; mkfifo /opt/p; chown 9:10 /opt/p',
  devices: 'mknod /opt/null c 1 3; mknod /opt/disk b 8 1; chown 5:6 /opt/disk; ls -l /opt | grep -c "^[bc]"',
  'files of a person':
    'chmod 1777 /opt; su app -s /bin/sh -c "umask 027; echo x > /opt/own; mkdir /opt/mine; mkfifo /opt/f"',
  'a setgid directory':
    'mkdir /opt/g; chown 0:500 /opt/g; chmod 2775 /opt/g; mkdir /opt/g/d; echo x > /opt/g/f',
  'what stat says':
    'echo x > /opt/s; chown 41:42 /opt/s; stat -c %u:%g /opt/s /opt/old/b > /opt/told; test "$(head -n 1 /opt/told)" = 41:42',
  'a folder of a layer below that is moved, copied and packed':
    'mv /opt/old /opt/new; cp -a /opt/new /opt/copy; mkdir /opt/t; tar -C /opt/new -cf - . | tar -C /opt/t -xf -',
};
const base = 'localhost/tsbuild-test/busybox:1';
const needs = { root: true, programs: ['skopeo', 'busybox', 'unshare', 'perl', 'ldd'] };

describe.skipIf(skip('owners where one id exists', needs))('owners where one id exists', () => {
  let root: AsyncDisposable & Tsbuild;
  let single: AsyncDisposable & Tsbuild;

  beforeAll(async () => {
    [root, single] = [await newTsbuild('root'), await newTsbuild('root')];
    for (const one of [root, single]) await loadBases(one, [await busyboxBase()]);
  });

  afterAll(async () => {
    await root?.[Symbol.asyncDispose]();
    await single?.[Symbol.asyncDispose]();
  });

  /** The layers of what comes of `lines`, above the base, as tar tells them, without times. */
  async function layersOf(
    tsbuild: Tsbuild,
    lines: readonly string[],
    isolation: string,
  ): Promise<readonly (readonly string[])[]> {
    const name = `case-${++count}`;
    const context = join(tsbuild.folder, name);
    mkdirSync(context);
    if (lines.some((line) => line.includes('perl'))) await copyPerl(context);
    writeFileSync(join(context, 'Containerfile'), [`FROM ${base}`, ...lines, ''].join('\n'));
    const args = ['--isolation', isolation, '--network', 'none', '--allow', 'security.insecure', context];
    const layout = await buildLayout(tsbuild, args, { name });
    const { layers } = readLayout(layout).manifest;
    return await Promise.all(layers.map(({ digest }) => entriesOf(layout, digest)));
  }
  let count = 0;

  /** perl for this machine, for a COPY; its modules are left out. */
  async function copyPerl(context: string): Promise<void> {
    const libraries = [...(await must(['ldd', '/usr/bin/perl'])).matchAll(/\/\S+/g)].map(([path]) => path);
    for (const path of ['/usr/bin/perl', ...libraries]) {
      mkdirSync(join(context, 'machine', dirname(path)), { recursive: true });
      copyFileSync(path, join(context, 'machine', path));
    }
    copyFileSync('testdata/sandbox/owner-calls.pl', join(context, 'owner-calls.pl'));
  }

  async function compare(...lines: string[]): Promise<void> {
    const [ours, roots] = [await layersOf(single, lines, 'single'), await layersOf(root, lines, 'root')];
    expect(ours.at(-1)).toEqual(roots.at(-1));
  }

  describe('are those that true root gives', () => {
    const names = Object.keys(scripts);
    let built: Promise<readonly [readonly (readonly string[])[], readonly (readonly string[])[]]>;

    // All of them are steps of one build.
    beforeAll(async () => {
      const lines = Object.values(scripts).map((script) => `RUN ${script}`);
      built = Promise.all([layersOf(single, lines, 'single'), layersOf(root, lines, 'root')]);
      await built;
    });

    it.each(names)('%s', async (name) => {
      const [ours, roots] = (await built).map((layers) => layers.at(names.indexOf(name) - names.length));
      expect(ours).toEqual(roots);
      expect(ours).not.toEqual([]);
    });
  });

  it('are those that true root gives, however a file is made or moved', async () => {
    await compare(
      'COPY --link machine /',
      `RUN cd /opt; for name in theirs theirs-too; do ln -s x $name; chown -h 8:9 $name; done; mkfifo fifo; chown 10:11 fifo; \
        for name in given given-too; do echo x > $name; chown 33:44 $name; done`,
      'RUN --mount=source=owner-calls.pl,target=/owner-calls.pl perl /owner-calls.pl',
    );
  });

  it('are recorded where a step may do everything, too', async () => {
    await compare(
      'RUN --security=insecure echo x > /opt/a; chown 7:8 /opt/a; su app -s /bin/sh -c "touch /tmp/own"',
    );
  });

  it('belong to the user whom USER names', async () => {
    await compare('USER app', 'RUN echo x > /home/app/x; mkdir /home/app/d; test "$(id -u)" = 1000');
  });

  it('last from step to step, and through COPY --from', async () => {
    await compare(
      `RUN echo x > /opt/a; chown 7:8 /opt/a; ln -s a /opt/l; chown -h 9:9 /opt/l`,
      'RUN mv /opt/a /opt/b; touch -h /opt/l',
    );
    await compare('RUN chown -R 3:4 /opt/old', `FROM ${base}`, 'COPY --from=0 /opt/old /new');
  });

  it('are kept beside the files in a store whose files carry no attributes', async () => {
    await using tsbuild = await newTsbuild('root');
    const lines = [
      'RUN cd /opt; echo x > a; chown 7:8 a; ln -s a l; chown -h 9:9 l; mknod n c 1 3; mkdir g; chown 0:500 g; chown 5:6 old/b',
      'RUN cd /opt; chmod 0600 a old/b; touch -h l; cp -a /opt /copy; ls -ln /opt > /told; cat /told',
    ];
    const context = join(tsbuild.folder, 'context');
    mkdirSync(context);
    writeFileSync(join(context, 'Containerfile'), [`FROM ${base}`, ...lines, ''].join('\n'));
    const script = `set -e; mkdir "$1"; mount -t ramfs ramfs "$1"; archive=$2 program=$3 store=$1; shift 3
      "$program" load --root "$store" -i "$archive"; "$program" build --root "$store" "$@"`;
    const { archive } = await busyboxBase();
    const layers = async (isolation: string): Promise<(readonly string[])[]> => {
      const layout = join(tsbuild.folder, isolation);
      const flags = [
        '--isolation',
        isolation,
        '--network',
        'none',
        '-o',
        `type=oci,tar=false,dest=${layout}`,
      ];
      const words = [`${layout}-store`, archive, resolve('bin/tsbuild'), ...flags, context];
      await must(['unshare', '--mount', 'sh', '-c', script, 'sh', ...words], { env: tsbuild.env });
      const made = readLayout(layout).manifest.layers.slice(-2);
      return await Promise.all(made.map(({ digest }) => entriesOf(layout, digest)));
    };
    expect(await layers('single')).toEqual(await layers('root'));
  });

  it.each([
    ['single', 'root'],
    ['root', 'single'],
  ])('are those of the layer for a step on another rung: %s, then %s', async (first, second) => {
    const lower = [
      `RUN cd /opt; echo ${first} > a; chown 7:8 a; ln -s a l; chown -h 9:9 l; mkfifo p; chown 10:11 p; mknod n c 1 3; \\
        chown 3:4 n old/b; mkdir g; chown 0:500 g; chmod 2775 g; chmod 4755 a`,
    ];
    const upper = [
      'RUN cd /opt; mv a b; touch -h l; echo x > g/f; cp -a /opt /copy; rm n; stat -c %u:%g * > /told; cat /told',
    ];
    await layersOf(single, lower, first);
    const [ours, roots] = [
      await layersOf(single, [...lower, ...upper], second),
      await layersOf(root, [...lower, ...upper], 'root'),
    ];
    expect(ours.slice(-2)).toEqual(roots.slice(-2));
  });
});

async function entriesOf(layout: string, digest: string): Promise<readonly string[]> {
  const blob = join(layout, 'blobs/sha256', digest.slice(7));
  const told = await must(['tar', '-tvf', blob, '--numeric-owner']);
  return told
    .trim()
    .split('\n')
    .map((line) => line.replace(/\d{4}-\d\d-\d\d \d\d:\d\d /, '').replace(/ +/g, ' '));
}
