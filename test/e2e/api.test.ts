import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BuildError, type BuildEvent, build, explain } from '../../src/index.ts';
import { busyboxBase } from '../support/base-images.ts';
import { must, run } from '../support/programs.ts';
import { temporaryFolder } from '../support/shared.ts';
import { skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

const lines = 30_000;

const containerfile = `FROM localhost/tsbuild-test/busybox:1 AS base
FROM base AS loud
RUN seq 1 ${lines}
FROM base AS endless
RUN echo begun && sleep 600
FROM base AS broken
RUN exit 7
`;

describe.skipIf(skip('the API', { programs: ['busybox', 'skopeo'] }))('events as an async iterable', () => {
  let tsbuild: AsyncDisposable & Tsbuild;
  let common: { readonly context: string; readonly root: string; readonly noCache: boolean };
  beforeAll(async () => {
    tsbuild = await newTsbuild('root');
    const context = join(tsbuild.folder, 'context');
    mkdirSync(context);
    writeFileSync(join(context, 'Containerfile'), containerfile);
    await loadBases(tsbuild, [await busyboxBase()]);
    common = { context, root: tsbuild.store, noCache: true };
  });
  afterAll(() => tsbuild[Symbol.asyncDispose]());

  it('gives all of them to a slow reader, in order, and the result besides', async () => {
    const events: BuildEvent[] = [];
    const building = build({ ...common, target: 'loud', tags: ['loud'] });
    for await (const event of building) {
      events.push(event);
      await turn();
    }
    const built = await building;
    const log = events.map((event) => (event.type === 'step-log' ? event.text : '')).join('');
    expect(log.trim().split('\n')).toEqual(Array.from({ length: lines }, (_, at) => String(at + 1)));
    expect(events[0]).toMatchObject({ type: 'build-start', id: built.build });
    expect(events.at(-1)).toMatchObject({ type: 'build-end', image: built.id });
  });

  it('has the reasons of its steps told afterwards', async () => {
    const { build: id } = await build({ ...common, target: 'loud' });
    const told = await explain({ ...common, build: id });
    expect(told.map(({ step, outcome, explanation }) => [step, outcome, explanation?.reason])).toEqual([
      ['1/2', 'done', 'asked'],
    ]);
    expect(await explain({ ...common, build: id, step: 'loud' })).toEqual(told);
    await expect(explain({ ...common, build: 'nothing' })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('goes on when its reader leaves', async () => {
    const building = build({ ...common, target: 'loud' });
    for await (const event of building) if (event.type === 'step-log') break;
    expect((await building).id).toMatch(/^sha256:/);
  });

  it('fails in the loop with the error of the build', async () => {
    const read = async () => {
      for await (const _ of build({ ...common, target: 'broken' }));
    };
    const error = await read().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BuildError);
    expect(error).toMatchObject({ code: 'run-failed', exitCode: 7 });
  });

  it('stops when its signal does, with the reason, and a reader that lags does not matter', async () => {
    const stopping = new AbortController();
    const building = build({ ...common, target: 'endless', signal: stopping.signal });
    const lagging = building[Symbol.asyncIterator]();
    await lagging.next();
    const read = async () => {
      for await (const event of building)
        if (event.type === 'step-log') stopping.abort(new Error('seen enough'));
    };
    await expect(read()).rejects.toThrow('seen enough');
    await expect(building).rejects.toThrow('seen enough');
  });
});

describe('the package', () => {
  const folder = temporaryFolder('package');
  afterAll(() => folder[Symbol.asyncDispose]());

  it('has types that a strict project of somebody else takes', async () => {
    const consumer = join(folder.path, 'consumer');
    await unpackPackage(join(folder.path, 'source'), join(consumer, 'node_modules/tsbuild'));
    symlinkSync(resolve('node_modules/@types'), join(consumer, 'node_modules/@types'));
    symlinkSync(resolve('node_modules/undici-types'), join(consumer, 'node_modules/undici-types'));
    writeFileSync(join(consumer, 'package.json'), '{ "name": "consumer", "type": "module" }');
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
    await must(['cp', 'testdata/api/use.ts', consumer]);
    const checked = await run([resolve('node_modules/.bin/tsc'), '-p', consumer], { cwd: consumer });
    expect(checked.stdout + checked.stderr).toBe('');
    expect(checked.code).toBe(0);
  });

  it('is described by docs/api.md as it is', async () => {
    expect(await run([process.execPath, 'scripts/api-page.mjs', '--check'])).toMatchObject({ code: 0 });
  });
});

const compilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  module: 'node16',
  moduleResolution: 'node16',
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable'],
  types: ['node'],
  noEmit: true,
};

/** Packs a copy of this checkout as it is packed for others, with all that runs before, and unpacks that. */
async function unpackPackage(source: string, folder: string): Promise<void> {
  for (const path of [source, folder]) mkdirSync(path, { recursive: true });
  const parts = ['src', 'builder', 'cache', 'bin', 'scripts', 'package.json', 'tsconfig.json'];
  const more = ['tsconfig.types.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];
  await must(['cp', '-a', ...parts, ...more, source]);
  symlinkSync(resolve('node_modules'), join(source, 'node_modules'));
  await must(['npm', 'pack', '--silent'], { cwd: source });
  await must(['sh', '-c', 'tar -xzf tsbuild-*.tgz --strip-components=1 -C "$0"', folder], { cwd: source });
}
