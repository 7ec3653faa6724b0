import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const needs = { programs: ['skopeo', 'busybox', 'crun'] };
const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];
const base = 'localhost/tsbuild-test/busybox:1';

describe.skipIf(skip('what a RUN sees again', needs)).each(people)('RUN and its cache as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  let context: string;
  let count = 0;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    context = join(tsbuild.folder, `context-${count++}`);
    mkdirSync(context);
    await tsbuild.give(context);
  });

  const write = (name: string, text: string): void => writeFileSync(join(context, name), text);

  /** Builds what the context holds, and gives the steps that were run. */
  async function ran(flags: readonly string[] = [], env = {}): Promise<string[]> {
    const args = ['build', '--progress', 'plain', '-o', `${context}.out`, ...flags, context];
    const { code, stderr } = await tsbuild.run(args, { env });
    expect(code, stderr).toBe(0);
    const names = new Map([...stderr.matchAll(/^(#\d+) \[.*?\] (.*)$/gm)].map(([, id, name]) => [id, name]));
    return [...stderr.matchAll(/^(#\d+) DONE/gm)].map(([, id]) => names.get(id) ?? '').sort();
  }
  const result = (name: string): string => readFileSync(join(`${context}.out`, name), 'utf8');

  it('empties the cache mounts of steps that are made again, once for all of them', async () => {
    const mount = `--mount=type=cache,target=/cache,id=wiped-${count}`;
    const look = (name: string) => `RUN ${mount} ls /cache > /${name}; touch /cache/${name}`;
    write(
      'Containerfile',
      [
        `FROM ${base} AS one`,
        look('a'),
        `FROM ${base}`,
        'COPY --from=one /a /',
        look('b'),
        look('c'),
        '',
      ].join('\n'),
    );
    await ran();
    expect(await ran()).toEqual([]);
    expect([result('a'), result('b'), result('c')]).toEqual(['', 'a\n', 'a\nb\n']);
    await ran(['--no-cache']);
    expect([result('a'), result('b'), result('c')]).toEqual(['', 'a\n', 'a\nb\n']);
    expect(await ran()).toEqual([]);
    await ran(['--no-cache-filter', 'one']);
    expect(result('a')).toBe('');
  });

  it('prefers later what was made again', async () => {
    write('Containerfile', `FROM ${base}\nRUN cat /proc/sys/kernel/random/uuid > /id\n`);
    await ran();
    const first = result('id');
    await ran(['--no-cache']);
    const second = result('id');
    expect(second).not.toBe(first);
    expect(await ran()).toEqual([]);
    expect(result('id')).toBe(second);
  });

  it('runs again for other content of a mounted file, not for its time or for secrets', async () => {
    write('in', 'one');
    write('beside', 'one');
    const mounts = '--mount=target=/in,source=in --mount=type=secret,id=s,env=S';
    write('Containerfile', `FROM ${base}\nRUN ${mounts} cat /in > /out && echo $S | wc -c > /size\n`);
    const flags = ['--secret', 'id=s,env=SECRET'];
    await ran(flags, { SECRET: 'a' });
    utimesSync(join(context, 'in'), 1, 1);
    write('beside', 'two');
    expect(await ran(flags, { SECRET: 'abc' })).toEqual([]);
    expect(await ran([...flags, '--build-arg', 'https_proxy=x'], { SECRET: 'abc' })).toEqual([]);
    write('in', 'two');
    expect(await ran(flags, { SECRET: 'abc' })).toHaveLength(1);
    expect([result('out'), result('size')]).toEqual(['two', '4\n']);
  });

  it('begins a cache mount anew where it begins with other files', async () => {
    write('seed', 'one');
    const mount = `--mount=type=cache,target=/c/seed,id=seeded-${count},from=files`;
    const text = (more: string) =>
      `FROM scratch AS files\nCOPY seed /\nFROM ${base}\nRUN ${mount} cat /c/seed/seed > /out; ${more}\n`;
    write('Containerfile', text('echo more >> /c/seed/seed'));
    await ran();
    write('Containerfile', text('true'));
    await ran();
    expect(result('out')).toBe('onemore\n');
    write('seed', 'two');
    await ran();
    expect(result('out')).toBe('two');
  });

  it('keeps the cache mounts of namespaces apart', async () => {
    const text = (command: string) =>
      `FROM ${base}\nRUN --mount=type=cache,target=/c,id=spaced-${count} ${command}\n`;
    const space = ['--build-arg', 'BUILDKIT_CACHE_MOUNT_NS=mine'];
    write('Containerfile', text('touch /c/f'));
    await ran(space);
    write('Containerfile', text('ls /c > /out'));
    await ran();
    expect(result('out')).toBe('');
    write('Containerfile', text('ls -1 /c > /out'));
    await ran(space);
    expect(result('out')).toBe('f\n');
  });

  it('runs again where heredocs become strict', async () => {
    write('Containerfile', `FROM ${base}\nRUN <<EOF\necho $- | grep -c e > /strict\ntrue\nEOF\n`);
    await ran();
    expect(await ran()).toEqual([]);
    expect(await ran(['--enable', 'errexit-heredocs'])).toEqual([
      expect.stringContaining('RUN <<EOF (echo $- | grep -c e > /strict...)'),
    ]);
    expect(await ran(['--enable', 'errexit-heredocs'])).toEqual([]);
  });
});
