import { execFileSync } from 'node:child_process';
import { mkdtempSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Remotes } from '../../../builder/context/remotes.ts';
import { readInput } from '../../../src/build/input.ts';
import type { BuildOptions } from '../../../src/core/options.ts';
import type { Store } from '../../../src/core/store.ts';

const store = { statCache: () => ({}) } as unknown as Store;
const input = (context: string, file?: string) =>
  readInput({ context, buildArgs: {}, ...(file !== undefined && { file }) } as unknown as BuildOptions, {
    store,
    remotes: {} as Remotes,
  });

it('reads no Containerfile that a link finds outside of the context, unless the command names it', async () => {
  const [context, elsewhere] = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'input-'))) as [string, string];
  writeFileSync(join(elsewhere, 'secret'), 'FROM scratch');
  symlinkSync(join(elsewhere, 'secret'), join(context, 'Containerfile'));
  await expect(input(context)).rejects.toThrow('leads out of the context');
  expect((await input(context, join(context, 'Containerfile'))).text).toBe('FROM scratch');
});

it('follows a link inside the context', async () => {
  const context = mkdtempSync(join(tmpdir(), 'input-'));
  writeFileSync(join(context, 'real'), 'FROM scratch');
  symlinkSync('real', join(context, 'Dockerfile'));
  expect((await input(context)).text).toBe('FROM scratch');
});

it.each(['Containerfile', 'Dockerfile.dockerignore', '.containerignore'])(
  'reads no %s that is a pipe or too large for a text',
  async (name) => {
    const context = mkdtempSync(join(tmpdir(), 'input-'));
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch');
    writeFileSync(join(context, name), '');
    truncateSync(join(context, name), (16 << 20) + 1);
    await expect(input(context)).rejects.toThrow('is longer than 16 MB');
    const pipe = mkdtempSync(join(tmpdir(), 'input-'));
    writeFileSync(join(pipe, 'Dockerfile'), 'FROM scratch');
    execFileSync('mkfifo', [join(pipe, name)]);
    await expect(input(pipe)).rejects.toThrow('is no file');
    await expect(input(pipe, join(pipe, name))).rejects.toThrow(/is no file/);
  },
);
