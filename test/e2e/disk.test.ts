import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { type Outcome, run } from '../support/programs.ts';
import { isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

const base = 'localhost/tsbuild-test/busybox:1';

describe.skipIf(skip('the bound on the store', { programs: ['skopeo', 'busybox'] }))('the store', () => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeEach(async () => {
    tsbuild = await newTsbuild(isRoot ? 'user' : 'root');
    await loadBases(tsbuild, [await busyboxBase()]);
    mkdirSync(join(tsbuild.folder, 'context'));
    writeFileSync(
      join(tsbuild.folder, 'context/Containerfile'),
      `FROM ${base}\nRUN dd if=/dev/urandom of=/eight bs=1M count=8\nRUN cp /eight /another\n`,
    );
    await tsbuild.give(tsbuild.folder);
  });
  afterEach(() => tsbuild?.[Symbol.asyncDispose]());

  it('takes nothing that a build uses which runs meanwhile, and says what it took', async () => {
    await tsbuild.must(['build', '-q', '-t', 'app', 'context']);
    await tsbuild.must(['rmi', 'app']);
    const slow = 'FROM localhost/tsbuild-test/busybox:1\nRUN dd if=/dev/urandom of=/slow bs=1M count=4\n';
    writeFileSync(
      join(tsbuild.folder, 'context/Slow'),
      `${slow}RUN sleep 3; cmp /slow /slow\nRUN cp /slow /twice\n`,
    );
    const bound = { env: { TSBUILD_KEEP_STORAGE: '1m' } };
    const failing = ['build', '--progress', 'plain', '-f', '-', 'context'];
    let meanwhile: Promise<Outcome> | undefined;
    const slowly = await run(
      tsbuild.commandLine(['build', '--progress', 'plain', '-t', 'slow', '-f', 'context/Slow', 'context']),
      {
        cwd: tsbuild.folder,
        env: tsbuild.env,
        said: (output) => {
          if (!/ DONE [^\n]*\n/.test(output)) return;
          meanwhile ??= tsbuild.run(failing, { ...bound, input: `FROM ${base}\nRUN false\n` });
        },
      },
    );
    expect(slowly.code, slowly.stderr).toBe(0);
    const other = await meanwhile;
    expect(other?.code).toBe(1);
    expect(other?.stderr).toMatch(/removed \d+ things?, 1\d\.\dMB, to keep the store within 1\.05MB/);
    expect(await tsbuild.must(['run', 'slow', 'cmp', '/slow', '/twice'])).toBe('');
    const again = await tsbuild.run(['build', '--progress', 'plain', '-f', 'context/Slow', 'context']);
    expect(again.stderr.match(/^#\d+ CACHED/gm)).toHaveLength(4);
  });

  it('tells of each thing why it is kept', async () => {
    await tsbuild.must(['build', '-q', '-t', 'app', 'context']);
    const all = JSON.parse(await tsbuild.must(['du', '--verbose', '--format', 'json'])) as Record<
      string,
      unknown
    >[];
    const short = all.map(({ what, why }) => `${what}: ${why}`);
    expect(short).toContain('image app:latest: it has a name');
    expect(short).toContain(`image ${base}: it has a name`);
    expect(await tsbuild.must(['du', '-v'])).toMatch(/^1 build +\S+ +\S+ .* they are remembered/m);
    await tsbuild.must(['rmi', 'app']);
    expect(await tsbuild.must(['du', '-v'])).toMatch(
      /^step \[2\/3\] RUN dd if=\S+ of=\S+ … +8\.39MB +8\.39MB .* the cache has it, for context\/Containerfile$/m,
    );
  });
});
