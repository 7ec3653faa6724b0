import { spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BuildError, type BuildEvent, build } from '../../src/index.ts';

const tsbuild = resolve('bin/tsbuild');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsbuild-cli-'));
  mkdirSync(join(folder, 'ctx'));
  writeFileSync(join(folder, 'ctx/a'), 'hi\n');
  writeFileSync(join(folder, 'ctx/Containerfile'), 'FROM scratch\nCOPY a /a\nENV X=y\n');
  writeFileSync(join(folder, 'ctx/Bad'), 'FROM scratch\nCOPPY a /a\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], program = [tsbuild]): Promise<Ended> {
  const [file = '', ...before] = program;
  const env = { PATH: process.env.PATH, HOME: folder, TSBUILD_ROOT: join(folder, 'store') };
  return new Promise((done, failed) => {
    const child = spawn(file, [...before, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += String(chunk)));
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));
    child.on('error', failed);
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
}

const idLine = /^sha256:[0-9a-f]{64}\n$/;

describe('the built command', () => {
  it('builds: the id alone on stdout, the story on stderr', async () => {
    const loud = await run(['-t', 'one', 'ctx']);
    expect(loud).toMatchObject({ code: 0, stdout: expect.stringMatching(idLine) as string });
    expect(loud.stderr).toContain('COPY a /a');
    const quiet = await run(['build', '-q', '-t', 'two', 'ctx']);
    expect(quiet).toEqual({ code: 0, stdout: loud.stdout, stderr: '' });
  });

  it('starts through node as well', async () => {
    const ended = await run(['-q', 'ctx'], [process.execPath, resolve('dist/cli.js')]);
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(idLine) as string });
  });

  it('runs kept compiled code from the very file that it wrote, never from a copy', async () => {
    await run(['-q', 'ctx']);
    const code = join(folder, 'store/code/v1');
    const kept = join(code, readdirSync(code)[0]!);
    const bytes = readFileSync(kept);
    writeFileSync(`${kept}.copy`, bytes);
    renameSync(`${kept}.copy`, kept);
    await run(['-q', 'ctx']);
    const made = readFileSync(kept);
    expect(made.equals(bytes)).toBe(false);
    await run(['-q', 'ctx']);
    expect(readFileSync(kept).equals(made)).toBe(true);
  });

  it('lists, names, describes, saves, loads and removes images', async () => {
    const { stdout: id } = await run(['-q', '-t', 'one', 'ctx']);
    expect((await run(['tag', 'one', 'three:x'])).code).toBe(0);
    const rows = JSON.parse((await run(['images', '--format', 'json'])).stdout) as {
      name: string;
      id: string;
    }[];
    expect(rows).toContainEqual(
      expect.objectContaining({ name: 'docker.io/library/three', tag: 'x', id: id.trim() }),
    );
    const [image] = JSON.parse((await run(['inspect', 'three:x'])).stdout) as [
      { Id: string; Config: { Env: string[] } },
    ];
    expect([image.Id, image.Config.Env]).toEqual([id.trim(), expect.arrayContaining(['X=y'])]);
    expect((await run(['history', 'one'])).stdout).toContain('COPY a /a');
    expect((await run(['save', 'three:x', '-o', 'x.tar'])).code).toBe(0);
    expect((await run(['rmi', 'three:x'])).stdout).toContain('removed docker.io/library/three:x\n');
    expect((await run(['inspect', 'three:x'])).code).toBe(1);
    expect((await run(['load', '-i', 'x.tar'])).stdout).toBe('docker.io/library/three:x\n');
    expect((await run(['inspect', 'three:x'])).code).toBe(0);
    expect((await run(['du'])).stdout).toMatch(/^\S+ in all; builds keep it within /m);
  });

  it('points at what is wrong, and exits 1', async () => {
    const { code, stdout, stderr } = await run(['-f', 'ctx/Bad', 'ctx']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('ctx/Bad:2:');
    expect(stderr).toMatch(/ {3}2 \| >>> COPPY a \/a\n {5}\| +\^+\n/);
    expect(stderr).not.toContain('bug in tsbuild');
  });

  it('exits 2 for wrong use', async () => {
    expect(await run(['--tagg', 'x', 'ctx'])).toMatchObject({ code: 2, stdout: '' });
    expect(await run(['-t', 'Not A Name', 'ctx'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('is quiet when the reader of its output goes away', async () => {
    const ended = await run(
      ['-c', `"${tsbuild}" --help | head -n 1 >/dev/null; "${tsbuild}" -q ctx | true`],
      ['sh'],
    );
    expect(ended).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('the public API', () => {
  it('builds in a child, and tells its events', async () => {
    const events: BuildEvent[] = [];
    const request = { context: join(folder, 'ctx'), root: join(folder, 'store'), tags: ['api'] };
    const built = await build({ ...request, onEvent: (event) => events.push(event) });
    expect(built.id).toMatch(/^sha256:/);
    expect(built.names).toEqual(['docker.io/library/api:latest']);
    expect(events[0]?.type).toBe('build-start');
    expect(events.at(-1)).toMatchObject({ type: 'build-end', outcome: 'done', image: built.id });
  });

  it('rejects with the BuildError of the build', async () => {
    const request = {
      context: join(folder, 'ctx'),
      file: join(folder, 'ctx/Bad'),
      root: join(folder, 'store'),
    };
    const error = await build(request).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BuildError);
    expect(error).toMatchObject({ location: { startLine: 2 } });
  });

  it('rejects with every error of the file', async () => {
    writeFileSync(join(folder, 'ctx/Worse'), 'FROM scratch\nCOPPY a /a\nENV x\nCOPY --from=9 a b\n');
    const request = {
      context: join(folder, 'ctx'),
      file: join(folder, 'ctx/Worse'),
      root: join(folder, 'store'),
    };
    const error = await build(request).catch((thrown: unknown) => thrown);
    const { errors } = error as BuildError;
    expect(errors?.map(({ code, location }) => [code, location?.startLine, location?.startColumn])).toEqual([
      ['parse', 2, 1],
      ['parse', 3, 5],
      ['parse', 4, 13],
    ]);
    expect(errors?.[0]).toMatchObject({ message: 'unknown instruction: COPPY', hint: 'Did you mean COPY?' });
  });

  it('rejects with the reason of its signal', async () => {
    const request = { context: join(folder, 'ctx'), root: join(folder, 'store') };
    await expect(build({ ...request, signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  });
});
