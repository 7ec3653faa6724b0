import { execFileSync, spawn } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { expect, it } from 'vitest';
import { intoFile } from '../../../src/build/into-file.ts';
import { BuildError } from '../../../src/core/errors.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'into-'));
const write = (dest: string): Promise<void> => intoFile(dest, (out) => pipeline(['content'], out));

it('makes a whole file', async () => {
  const at = folder();
  await write(join(at, 'file'));
  expect(readFileSync(join(at, 'file'), 'utf8')).toBe('content');
  expect(readdirSync(at)).toEqual(['file']);
});

it('writes into a pipe, also through a link, and replaces neither', async () => {
  const at = folder();
  execFileSync('mkfifo', [join(at, 'pipe')]);
  symlinkSync('pipe', join(at, 'link'));
  for (const name of ['pipe', 'link']) {
    // The reader comes late.
    const reader = spawn('sh', ['-c', 'sleep 0.3; exec cat "$0"', join(at, 'pipe')]);
    const ended = reader.stdout.toArray();
    try {
      await write(join(at, name));
      expect(lstatSync(join(at, 'pipe')).isFIFO()).toBe(true);
      expect(Buffer.concat(await ended).toString()).toBe('content');
    } finally {
      reader.kill();
    }
  }
  expect(lstatSync(join(at, 'link')).isSymbolicLink()).toBe(true);
});

it('waits for the reader of a pipe until it is told to stop', async () => {
  const at = folder();
  execFileSync('mkfifo', [join(at, 'pipe')]);
  const stop = new AbortController();
  const written = intoFile(join(at, 'pipe'), (out) => pipeline(['content'], out), stop.signal);
  stop.abort(new BuildError('interrupted', 'stopped'));
  await expect(written).rejects.toMatchObject({ code: 'interrupted' });
});
