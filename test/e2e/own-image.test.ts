import { appendFileSync, cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { debianBase } from '../support/base-images.ts';
import { must } from '../support/programs.ts';
import { startRegistryServer } from '../support/registry-server.ts';
import { isRoot, skip } from '../support/skips.ts';
import { newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

/** A release of Debian whose Node is new enough. */
const suite = 'trixie';
const needs = { root: true, programs: ['mmdebstrap', 'skopeo', 'crun', 'docker-registry'] };
const minutes = 60_000;

describe.skipIf(skip("tsbuild's own image", needs))("tsbuild's own image", () => {
  it(
    'is built, pushed, pulled back and run; a changed source file runs only the steps below it',
    async () => {
      await using tsbuild = await newTsbuild(isRoot ? 'user' : 'root');
      const server = await startRegistryServer();
      try {
        const base = await debianBase(suite);
        await pushBase(base.layout, `${server.host}/debian:${suite}`);
        await copySources(tsbuild);
        const name = `${server.host}/app:1`;
        const args = ['build', '--progress', 'plain', '--build-arg', `BASE=${server.host}/debian:${suite}`];
        const build = [...args, ...(await hostSettings()), '-t', name, '--push', 'source'];
        await tsbuild.must(build, { limitMs: 10 * minutes });
        const found = JSON.parse(
          await must(['skopeo', 'inspect', '--tls-verify=false', `docker://${name}`]),
        ) as {
          Layers: string[];
        };
        expect(found.Layers.length).toBeGreaterThan(5);

        await tsbuild.must(['rmi', name]);
        await tsbuild.must(['pull', name]);
        const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
        expect(await tsbuild.must(['run', '--rm', name, '--version'])).toContain(version);

        appendFileSync(join(tsbuild.folder, 'source/src/index.ts'), '\n// changed\n');
        const again = await tsbuild.run(build, { limitMs: 10 * minutes });
        expect(again.code, again.stderr).toBe(0);
        const steps = stepsOf(again.stderr);
        expect(steps.find((step) => step.name.includes('npm ci'))?.end).toBe('CACHED');
        expect(steps.find((step) => step.name.includes('npm run build'))?.end).toMatch(/^DONE/);
      } finally {
        await server.stop();
      }
    },
    12 * minutes,
  );
});

async function pushBase(layout: string, name: string): Promise<void> {
  await must(['skopeo', 'copy', '-q', '--dest-tls-verify=false', `oci:${layout}:image`, `docker://${name}`]);
}

/** What the Containerfile's own context is: the checkout without what its ignore file leaves out. */
async function copySources(tsbuild: Tsbuild): Promise<void> {
  const ignored = new Set(readFileSync('.containerignore', 'utf8').trim().split('\n'));
  for (const name of readdirSync('.'))
    if (!ignored.has(name) && !name.endsWith('.tgz'))
      cpSync(name, join(tsbuild.folder, 'source', name), { recursive: true });
  await tsbuild.give(join(tsbuild.folder, 'source'));
}

/** How this machine reaches npm's registry: settings as build arguments, proxies too; nothing of it stays in the image. */
async function hostSettings(): Promise<string[]> {
  const registry = (await must(['npm', 'config', 'get', 'registry'])).trim();
  const proxies = Object.keys(process.env).filter((key) => /^(https?|no)_proxy$/i.test(key));
  return [`NPM_CONFIG_REGISTRY=${registry}`, ...proxies].flatMap((value) => ['--build-arg', value]);
}

/** Steps of plain progress, by number: the name and the last word on it. */
function stepsOf(output: string): { name: string; end: string | undefined }[] {
  const names = new Map<string, string>();
  const ends = new Map<string, string>();
  for (const [, number = '', text = ''] of output.matchAll(/^#(\d+) (.*)$/gm)) {
    if (!names.has(number)) names.set(number, text);
    if (/^(CACHED|DONE|ERROR|CANCELED)/.test(text)) ends.set(number, text);
  }
  return [...names].map(([number, name]) => ({ name, end: ends.get(number) }));
}
