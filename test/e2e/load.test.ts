import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { run } from '../support/programs.ts';
import { isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Who } from '../support/tsbuild.ts';

const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];

describe.skipIf(skip('--load', { programs: ['podman', 'skopeo', 'busybox', 'crun'] })).each(people)(
  '--load as %s',
  (who) => {
    it('hands the image to podman, which runs as the person', async () => {
      await using tsbuild = await newTsbuild(who);
      const { folder } = tsbuild;
      const storage = join(folder, 'storage.conf');
      const home = join(folder, 'home');
      for (const path of [home, join(folder, 'context')]) mkdirSync(path);
      const graph = `graphroot = "${join(folder, 'podman')}"\nrunroot = "${join(folder, 'run')}"\n`;
      writeFileSync(storage, `[storage]\ndriver = "vfs"\n${graph}`);
      writeFileSync(
        join(folder, 'context/Containerfile'),
        'FROM localhost/tsbuild-test/busybox:1\nRUN echo 1 >/one\n',
      );
      await tsbuild.give(folder);
      const env = { HOME: home, CONTAINERS_STORAGE_CONF: storage };
      await loadBases(tsbuild, [await busyboxBase()]);
      const podman = (args: readonly string[]) =>
        run(tsbuild.as(['podman', ...args]), { env: { ...tsbuild.env, ...env }, cwd: folder });
      const usable = await podman(['images']);
      if (usable.code !== 0) return console.warn(`skipped: podman does not work here: ${usable.stderr}`);
      const built = await tsbuild.run(['build', '-t', 'loaded:1', '--load', 'context'], { env });
      expect(built.code, built.stderr).toBe(0);
      const names = await podman(['images', '--format', '{{.Repository}}:{{.Tag}} {{.Id}}', '--no-trunc']);
      expect(names.stdout).toContain(
        `docker.io/library/loaded:1 ${built.stdout.trim().slice('sha256:'.length)}`,
      );
    });
  },
);
