import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, type Option } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/run-command.ts';

/**
 * The launcher finds a Node that tells the rung asked for, and what else would cost its start dear; and namespaces that
 * cannot be had.
 */
const programs = { node: 'printf %s "$TSBUILD_ASKED$NODE_EXTRA_CA_CERTS"', unshare: 'exit 1' };
const own = run.define(new Command('run')).options.filter(({ long }) => long !== '--isolation');

describe('the launcher, which reads the words of `run` before they are parsed,', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-launcher-'));
    for (const [name, script] of Object.entries(programs)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(folder, name), 0o755);
    }
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  function asked(...words: readonly string[]): string {
    const env = { PATH: `${folder}:${process.env.PATH}`, HOME: '/', NODE_EXTRA_CA_CERTS: '/authorities' };
    const { status, stdout } = spawnSync('sh', ['bin/tsbuild', ...words], { env, encoding: 'utf8' });
    expect(status).toBe(0);
    return stdout;
  }

  it.each(own.flatMap(waysToWrite))('finds the name of the image behind %j', (...words) => {
    expect(asked('run', ...words, '--isolation', 'none', 'image', '--isolation=single')).toBe('none');
    expect(asked('run', ...words, 'image', '--isolation=single')).toBe('');
  });

  it.each([
    [['-it'], ''],
    [['-Dite', 'A=1'], ''],
    [['-iteA=1'], ''],
    [['-ti=false'], ''],
    [['--memory-swap', '-1'], ''],
    [['--isolation=none', '-e', '--isolation=single'], 'none'],
    [['--tls-verify=false', '--isolation', 'none'], 'none'],
  ])('finds it behind %j', (words, rung) => {
    expect(asked('run', ...words, 'image', '--isolation=single')).toBe(rung);
  });

  it('leaves to the command of `mount` what stands behind the dashes', () => {
    expect(asked('mount', 'image', '--isolation', 'none', 'folder', '--', 'sh', '--isolation=single')).toBe(
      'none',
    );
    expect(asked('mount', 'image', 'folder', '--', 'sh', '--isolation=single')).toBe('');
  });
});

/** Its long and its short name, with the value behind it where it takes one. */
function waysToWrite({ long, short, required }: Option): (readonly string[])[] {
  const names = [long, short].filter((name) => name !== undefined);
  return names.map((name) => (required ? [name, 'value'] : [name]));
}
