import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { find } from '../../builder/sandbox/programs.ts';
import { busyboxBase } from '../support/base-images.ts';
import { readLayout } from '../support/oci-layout.ts';
import { type Lack, writeFiltered } from '../support/outer-filter.ts';
import { must, run } from '../support/programs.ts';
import { skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

/** What one step does: as root and, the second, as the user app, whose files have to be told from root's. */
const containerfile = `FROM localhost/tsbuild-test/busybox:1
RUN echo a > /opt/a; chown 33:44 /opt/a; chown 12:34 /opt/old/b; mknod /opt/null c 1 3; \\
  mkdir /opt/g; chgrp 500 /opt/g; chmod 2777 /opt/g; chmod 1777 /opt; su app -s /bin/sh -c 'echo x > /opt/su'
USER app
RUN echo x > /opt/own; echo y > /opt/g/in; mkdir /opt/g/d; echo z > /opt/old/deep/new || true
`;

/** For each lack: what is said, and the owners of what the two steps made. */
const levels: Readonly<Partial<Record<Lack, { readonly why: RegExp; readonly lines: readonly string[] }>>> = {
  'no descriptor as an answer': {
    why: /owners of files are recorded, but no process becomes another user.*5\.14/,
    lines: [
      '33/44 opt/a',
      '12/34 opt/old/b',
      '0/500 opt/g/',
      'c 0/0 opt/null',
      '0/0 opt/su',
      '1000/1000 opt/own',
      '1000/500 opt/g/in',
      '1000/500 opt/g/d/',
    ],
  },
  'no listener': {
    why: /owners are not recorded: .*hands no system calls over/,
    lines: [
      '0/0 opt/a',
      '0/0 opt/g/',
      '0/0 opt/su',
      '1000/1000 opt/own',
      '1000/0 opt/g/in',
      '1000/0 opt/g/d/',
    ],
  },
};
const needs = { root: true, programs: ['skopeo', 'busybox', 'unshare'] };

describe.skipIf(skip('less than all owners recorded', needs))('where less can be recorded', () => {
  let tsbuild: AsyncDisposable & Tsbuild;

  beforeAll(async () => {
    tsbuild = await newTsbuild('root');
    await loadBases(tsbuild, [await busyboxBase()]);
    mkdirSync(join(tsbuild.folder, 'context'));
    writeFileSync(join(tsbuild.folder, 'context/Containerfile'), containerfile);
  });

  afterAll(async () => {
    await tsbuild?.[Symbol.asyncDispose]();
  });

  function filtered(lack: Lack, args: readonly string[], before: readonly string[] = []): string {
    const file = join(tsbuild.folder, `filtered-${args[0]}-${lack.replaceAll(' ', '-')}`);
    const command = [
      '/bin/sh',
      '-c',
      'cd "$0" && exec "$@"',
      tsbuild.folder,
      ...before,
      ...tsbuild.commandLine(args),
    ];
    writeFiltered(file, command, { lack, env: tsbuild.env });
    return file;
  }

  it.each(Object.entries(levels))('%s: said once, with what it costs', async (lack, { why, lines }) => {
    const flags = ['--isolation', 'single', '--network', 'none', '--progress', 'plain'];
    const dest = join(tsbuild.folder, `${lack}.oci`);
    const output = ['-o', `type=oci,tar=false,dest=${dest}`, join(tsbuild.folder, 'context')];
    const { code, stderr } = await run([filtered(lack as Lack, ['build', ...flags, ...output])]);
    expect(code, stderr).toBe(0);
    // What one of them made is not for the other: only the base is known.
    expect(stderr).toContain(' 1 cached');
    expect(stderr.match(new RegExp(why, 'g'))).toHaveLength(1);
    const told = await ownersIn(dest);
    for (const line of lines) expect(told).toContain(line);
  });

  it('what a user makes is the user’s where steps work in copies too', async () => {
    const context = join(tsbuild.folder, 'copied');
    const store = join(tsbuild.folder, 'on-overlay');
    for (const path of [context, store, ...['l', 'u', 'w'].map((name) => join(store, name))]) mkdirSync(path);
    copyFileSync(find('busybox')!, join(context, 'busybox'));
    writeFileSync(
      join(context, 'Containerfile'),
      `FROM scratch
COPY --chmod=755 busybox /bin/busybox
USER 1000:1000
RUN ["/bin/busybox", "mkdir", "-p", "/own/d"]
RUN ["/bin/busybox", "touch", "/own/d/f"]
`,
    );
    const dest = join(tsbuild.folder, 'copied.oci');
    const flags = ['--isolation', 'single', '--progress', 'plain', '-o', `type=oci,tar=false,dest=${dest}`];
    const mounted = 'mount -t overlay -o lowerdir=l,upperdir=u,workdir=w overlay l && cd "$0" && exec "$@"';
    const before = ['/usr/bin/unshare', '--mount', 'sh', '-c', `cd on-overlay && ${mounted}`, tsbuild.folder];
    const args = ['build', '--root', join(store, 'l'), ...flags, context];
    const { code, stderr } = await run([filtered('no listener', args, before)]);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('RUN works in a full copy');
    expect(await ownersIn(dest)).toEqual(
      expect.arrayContaining(['1000/1000 own/', '1000/1000 own/d/', '1000/1000 own/d/f']),
    );
  });

  it('the doctor tells it too', async () => {
    const oneId = ['/usr/bin/unshare', '--user', '--map-root-user', '--'];
    const { stdout, stderr } = await run([
      filtered('another listener', ['doctor', '--format', 'json'], oneId),
    ]);
    expect(stdout, stderr).not.toBe('');
    const { works, checks } = JSON.parse(stdout) as { works: boolean; checks: { name: string }[] };
    expect(works).toBe(true);
    expect(checks.find(({ name }) => name === 'owners')).toMatchObject({
      works: false,
      text: expect.stringContaining('another supervisor listens'),
      remedy: expect.stringContaining('5.14'),
    });
  });
});

/** `uid/gid path` of the entries of the layers that were made, devices with their letter. */
async function ownersIn(layout: string): Promise<string[]> {
  const layers = readLayout(layout).manifest.layers.slice(-2);
  const told = await Promise.all(
    layers.map(({ digest }) =>
      must(['tar', '-tvf', join(layout, 'blobs/sha256', digest.slice(7)), '--numeric-owner']),
    ),
  );
  return told
    .flatMap((text) => text.trim().split('\n'))
    .map((line) => {
      const [mode = '', owner = ''] = line.split(/ +/);
      const device = /^[bc]/.test(mode) ? `${mode[0]} ` : '';
      return `${device}${owner} ${line.split(' ').at(-1)}`;
    });
}
