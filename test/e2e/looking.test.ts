import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { mountsBelow, processesGone } from '../support/processes.ts';
import { must, run } from '../support/programs.ts';
import { hasRegistryServer, startRegistryServer } from '../support/registry-server.ts';
import { isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];
const needs = { programs: ['skopeo', 'busybox'] };
const containerfile = `FROM localhost/tsbuild-test/busybox:1
RUN dd if=/dev/zero of=/opt/big bs=1k count=100 && mkdir /var/lists && seq 2000 >/var/lists/a && seq 100 >/var/lists/b
RUN rm -r /var/lists && chmod 600 /opt/big
ARG MORE
RUN if [ -n "$MORE" ]; then chown 7:8 /etc/motd && rm /opt/link && ln -s /dev/null /opt/new-link && echo x >/opt/old/a; fi
ENV MORE=$MORE
LABEL more=$MORE
`;

describe.skipIf(skip('layers, diff and mount', needs)).each(people)('what is in an image, as %s,', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
    mkdirSync(join(tsbuild.folder, 'context'));
    mkdirSync(join(tsbuild.folder, 'files'));
    writeFileSync(join(tsbuild.folder, 'context/Containerfile'), containerfile);
    await tsbuild.give(tsbuild.folder);
    await tsbuild.must(['build', '-q', '-t', 'app', 'context']);
    await tsbuild.must(['build', '-q', '-t', 'app:more', '--build-arg', 'MORE=yes', 'context']);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  const mount = (...words: readonly string[]) => tsbuild.run(['mount', ...words]);

  it('layers tells by instruction, with what is lost', async () => {
    const { layers, losses, lost, bytes, biggestFiles } = JSON.parse(
      await tsbuild.must(['layers', '--format', 'json', 'app']),
    );
    expect(layers.map(({ instruction }: { instruction: string }) => instruction).slice(2)).toEqual([
      expect.stringMatching(/^RUN dd if/),
      'RUN rm -r /var/lists && chmod 600 /opt/big',
      expect.stringMatching(/^RUN if/),
    ]);
    expect(losses).toEqual([
      { path: 'opt/big', bytes: 102_400, files: 1, layer: 3, by: 4, how: 'repeated' },
      { path: 'var/lists', bytes: 8893 + 292, files: 2, layer: 3, by: 4, how: 'removed' },
      { path: 'opt/gone', bytes: 5, files: 1, layer: 1, by: 2, how: 'removed' },
    ]);
    expect(lost).toBe(102_400 + 9185 + 5);
    expect(bytes).toBe(layers.reduce((sum: number, layer: { bytes: number }) => sum + layer.bytes, 0));
    expect(biggestFiles[0]).toMatchObject({ path: 'bin/busybox', layer: 1 });
    const text = await tsbuild.must(['layers', '--top', '1', 'app']);
    expect(text).toMatch(/ of files, 112kB never seen\nefficiency 9\d\.\d %\n/);
    expect(text).toMatch(/^3 +112kB +112kB +\S+ {2}RUN dd if/m);
    expect(text).toMatch(/^102kB {2}#3 {2}repeated by #4 {2}\/opt\/big$/m);
    expect(text).not.toContain('/var/lists (2 files)');
  });

  it('diff names every setting and file that differs', async () => {
    const found = JSON.parse(await tsbuild.must(['diff', '--format', 'json', 'app', 'app:more']));
    expect(found.config).toEqual([
      { what: 'variable', name: 'MORE', how: 'changed', after: 'yes' },
      { what: 'label', name: 'more', how: 'changed', after: 'yes' },
    ]);
    const files = found.files.map(({ path, how, aspects }: never) => ({ path, how, aspects }));
    expect(files).toEqual([
      { path: 'etc/motd', how: 'changed', aspects: ['owner'] },
      { path: 'opt/link', how: 'removed', aspects: [] },
      { path: 'opt/new-link', how: 'added', aspects: [] },
      { path: 'opt/old/a', how: 'changed', aspects: ['content'] },
    ]);
    const text = await tsbuild.must(['diff', 'app', 'app:more']);
    expect(text).toContain("variable MORE  '' → yes\n");
    expect(text).toContain('~  /etc/motd  owner 0:0 → 7:8\n');
    expect(text).toContain('+  /opt/new-link  → /dev/null\n');
    expect((await tsbuild.run(['diff', '--exit-code', 'app', 'app:more'])).code).toBe(1);
    expect((await tsbuild.run(['diff', '--exit-code', 'app', 'app'])).code).toBe(0);
    expect(await tsbuild.must(['diff', '--history', 'app', 'app:more'])).toContain(
      '+  RUN |1 MORE=yes /bin/sh',
    );
  });

  it('mount shows the files to the command alone, as they are in the image', async () => {
    const script =
      'stat -c "%u:%g %a" files/home/app files/opt/old/deep; cat files/etc/motd; touch files/x; exit 3';
    const outcome = await mount('app', 'files', '--', 'sh', '-c', script);
    expect(outcome.stdout).toBe('1000:1000 750\n0:500 2775\nwelcome\n');
    expect(outcome.stderr).toMatch(/^touch: .*Read-only file system\n$/);
    expect(outcome.code).toBe(3);
    expect(readdirSync(join(tsbuild.folder, 'files'))).toEqual([]);
  });

  it('mount lets what it is told to write, and drops that', async () => {
    const write = 'echo new >files/etc/motd && cat files/etc/motd';
    expect(await mount('--writable', 'app', 'files', '--', 'sh', '-c', write)).toMatchObject({
      stdout: 'new\n',
    });
    const inside = await tsbuild.run(['mount', 'app', '.', '--', 'cat', 'etc/motd'], {
      cwd: join(tsbuild.folder, 'files'),
    });
    expect(inside).toMatchObject({ code: 0, stdout: 'welcome\n' });
  });

  it('mount says what cannot be', async () => {
    expect(await mount('app', 'nowhere', '--', 'true')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: the folder \S+\/nowhere does not exist\nhint: /),
    });
    expect(await mount('app', 'files', '--', '/no-such')).toMatchObject({ code: 127 });
    expect(await mount('app', 'files')).toMatchObject({ code: 2 });
    expect(await mount('--isolation', 'none', 'app', 'files', '--', 'true')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('mount cannot work with --isolation none'),
    });
    const single = await mount('--isolation', 'single', 'app', 'files', '--', 'cat', 'files/etc/motd');
    expect(single).toMatchObject({ code: 0, stdout: 'welcome\n' });
    expect(single.stderr).toContain('only one id exists here');
  });

  it('mount hands signals on, and leaves nothing even where it is killed', async () => {
    const trap = 'trap "echo ended; exit 9" TERM; echo ready; while :; do sleep 0.1; done';
    const when = (signal: NodeJS.Signals) => (output: string, pid: number) => {
      if (output.endsWith('ready\n')) process.kill(pid, signal);
    };
    const line = tsbuild.commandLine(['mount', 'app', 'files', '--', 'sh', '-c', trap]);
    const how = { cwd: tsbuild.folder, env: tsbuild.env, limitMs: 20_000 };
    const told = await run(line, { ...how, said: when('SIGTERM') });
    expect(told).toMatchObject({ code: 9, stdout: 'ready\nended\n' });
    await run(line, { ...how, said: when('SIGKILL') });
    expect(await processesGone(tsbuild.folder)).toEqual([]);
    expect(mountsBelow(tsbuild.folder)).toEqual([]);
    expect((await mount('app', 'files', '--', 'sh', '-c', 'sleep 1000 & echo started')).stdout).toBe(
      'started\n',
    );
    expect(await processesGone(tsbuild.folder)).toEqual([]);
  });

  it.skipIf(!isRoot || who !== 'root')('mount works in a copy where no overlay can be had', async () => {
    const base = await busyboxBase();
    const store = join(tsbuild.folder, 'over/root/store');
    const on = (...[name, ...rest]: readonly string[]): string =>
      [process.cwd(), '/bin/tsbuild ', name, ' --root ', store, ' ', rest.join(' ')].join('');
    const script = `set -e; mkdir over over/upper over/work over/root
mount -t overlay -o lowerdir=/var/empty-none,upperdir=over/upper,workdir=over/work x over/root
${on('load', '-i', base.archive)}
${on('mount', base.name, 'files', '--', 'sh', '-c', "'cat files/etc/motd; touch files/x'")}`;
    const prepared = script.replace('/var/empty-none', join(tsbuild.folder, 'context'));
    const outcome = await run(['unshare', '--mount', 'sh', '-c', prepared], {
      cwd: tsbuild.folder,
      env: tsbuild.env,
    });
    expect(outcome.stdout, outcome.stderr).toMatch(/welcome\n$/);
    expect(outcome.stderr).toMatch(/no overlay can be mounted .*\n.*Read-only file system\n$/s);
  });
});

describe.skipIf(skip('layers of a registry', needs) || !hasRegistryServer())('an image in a registry', () => {
  it('is looked at without being kept', async () => {
    const registry = await startRegistryServer();
    onTestFinished(() => registry.stop());
    const base = await busyboxBase();
    const name = `${registry.host}/base:1`;
    const copy = ['skopeo', 'copy', '-q', '--dest-tls-verify=false'];
    await must([...copy, `oci:${base.layout}:image`, `docker://${name}`]);
    await using tsbuild = await newTsbuild('root');
    const layers = ['layers', '--format', 'json', '--tls-verify=false', name];
    expect(JSON.parse(await tsbuild.must(layers)).losses).toEqual([
      { path: 'opt/gone', bytes: 5, files: 1, layer: 1, by: 2, how: 'removed' },
    ]);
    expect(await tsbuild.must(['images', '-q'])).toBe('');
    await loadBases(tsbuild, [base]);
    const same = await tsbuild.must(['diff', '--tls-verify=false', name, base.name]);
    expect(same).toMatch(/^Configuration and files are the same|^They are the same image/m);
  });
});
