import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

const projects = 'testdata/bake/compose';

describe.skipIf(skip('Compose projects', { programs: ['busybox'] }))('services of a Compose project', () => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild('root');
    await loadBases(tsbuild, [await busyboxBase()]);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  const read = (name: string, path: string) => tsbuild.must(['run', name, 'cat', path]);

  it('have the names that docker gives them', async () => {
    const folder = join(tsbuild.folder, 'Proxy.Api-db');
    cpSync(join(projects, 'proxy-api-db'), folder, { recursive: true });
    const { code, stderr } = await tsbuild.run(
      ['compose', 'build', '--progress=plain', '--build-arg=MODE=test'],
      {
        cwd: join(folder, 'api'),
      },
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await tsbuild.must(['run', 'proxyapi-db-api', '/usr/bin/api'])).toBe('built\ntest on 8080\n');
    expect(await read('proxyapi-db-proxy', '/etc/proxy/conf')).toBe('P:/api:api:8080\n');
    const baked = await tsbuild.run(['bake', '--progress=plain', '-f', 'compose.yaml'], { cwd: folder });
    expect(baked.stderr).toContain('[proxy 2/2] COPY conf');
  });

  it('start from each other', async () => {
    const file = join(projects, 'shared-base/compose.yaml');
    const words = ['compose', '-f', file, 'build', '--progress=plain', 'worker', 'api'];
    const { code, stderr } = await tsbuild.run(words, { cwd: process.cwd() });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await read('shop-worker', '/both')).toBe('shared\ntask\n');
    const [image] = JSON.parse(await tsbuild.must(['inspect', 'registry.example/shop/api:1.2'])) as Inspected;
    expect(image.Config.Labels).toMatchObject({ role: 'api' });
    const unknown = await tsbuild.run(['compose', '-f', file, 'build', 'wroker'], { cwd: process.cwd() });
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean worker?') });
  });

  it('are those whose profile is on', async () => {
    const folder = join(tsbuild.folder, 'profiles');
    cpSync(join(projects, 'profiles'), folder, { recursive: true });
    const print = async (...words: readonly string[]) => {
      const text = await tsbuild.must(['compose', 'build', '--print', ...words], { cwd: folder });
      return JSON.parse(text) as {
        readonly target: Record<string, { readonly labels?: object; tags: string[] }>;
      };
    };
    const plain = await print('-p', 'mine');
    expect(plain.target).toMatchObject({
      web: { tags: ['mine-web'], labels: { 'org.example.over': 'yes' } },
    });
    expect(Object.keys(plain.target)).toEqual(['web']);
    expect(Object.keys((await print('--profile=debug')).target)).toEqual(['debug', 'web']);
    expect(Object.keys((await print('debug')).target)).toEqual(['debug']);
    expect(Object.keys((await print('--with-dependencies', 'debug')).target)).toEqual(['debug', 'web']);
  });
});

type Inspected = readonly [{ readonly Config: { readonly Labels?: object } }];
