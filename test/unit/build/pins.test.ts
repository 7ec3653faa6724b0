import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { BaseImage } from '../../../builder/base-image.ts';
import { type GitAddress, parseGitAddress } from '../../../builder/context/git-address.ts';
import type { Remotes } from '../../../builder/context/remotes.ts';
import { openPins } from '../../../src/build/pins.ts';
import { type Digest, digestOf } from '../../../src/core/digest.ts';
import { BuildError } from '../../../src/core/errors.ts';
import type { Lock } from '../../../src/core/options.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { temporaryFolder } from '../../support/shared.ts';

const folder = temporaryFolder('pins');
afterAll(() => folder[Symbol.asyncDispose]());
const containerfile = join(folder.path, 'Containerfile');
const lockFile = `${containerfile}.lock`;
const platform = { os: 'linux', architecture: 'amd64' };
const commitOf = (text: string): string => digestOf(text).slice(7, 47);

/** What names mean outside; a test changes it between two builds. */
let world: { image: string | undefined; download: string; commit: string };
let asked: string[];
let found: string[];

const remotes = {
  download: async (url: string, checksum?: Digest) => {
    asked.push(url);
    const digest = digestOf(world.download);
    if (checksum !== undefined && checksum !== digest)
      throw new BuildError('digest-mismatch', 'it is another');
    return { digest, size: 1, mtime: 1, path: '/blob' };
  },
  commit: async (address: GitAddress) => {
    asked.push(address.url);
    return { address, commit: commitOf(world.commit), from: 'refs/heads/main' };
  },
} as unknown as Remotes;

/** A build that names one of each, and what it got. */
async function build(mode: Lock['mode'], { pull = 'missing' as const, image = 'debian:12' } = {}) {
  const pins = openPins({ lock: { mode }, pull }, containerfile)!;
  const find = async (name: string) => {
    found.push(name);
    return {} as BaseImage;
  };
  const digest = async () => {
    asked.push('registry');
    return world.image === undefined ? undefined : digestOf(world.image);
  };
  const meaning = async (name: string) => parseReference(name === 'short' ? 'full.org/name' : name);
  await pins.images(find, { meaning, digest })(image, platform);
  const pinned = pins.remotes(remotes);
  const file = await pinned.download('https://user:word@example.com/a?b=1');
  const { commit } = await pinned.commit(parseGitAddress('https://example.com/a.git#main')!);
  await pins.save();
  return { file: file.digest, commit };
}

beforeEach(() => {
  world = { image: 'one', download: 'one', commit: 'one' };
  asked = [];
  found = [];
  writeFileSync(lockFile, '{"version":1}');
});

describe('a lock file', () => {
  it('pins a short name as what it stands for', async () => {
    await build('write', { image: 'short' });
    expect(readFileSync(lockFile, 'utf8')).toContain('"full.org/name:latest"');
    expect(found).toEqual([`full.org/name:latest@${digestOf('one')}`]);
  });

  it('is written with what names mean, sorted and without logins', async () => {
    await build('write');
    expect(JSON.parse(readFileSync(lockFile, 'utf8'))).toEqual({
      version: 1,
      images: { 'docker.io/library/debian:12': digestOf('one') },
      downloads: { 'https://example.com/a?b=1': digestOf('one') },
      commits: { 'https://example.com/a.git#main': commitOf('one') },
    });
    expect(found).toEqual([`docker.io/library/debian:12@${digestOf('one')}`]);
  });

  it('counts when the world has moved on, and is asked instead of it', async () => {
    await build('write');
    const before = readFileSync(lockFile, 'utf8');
    world = { image: 'two', download: 'one', commit: 'two' };
    asked = [];
    for (const mode of ['frozen', 'write'] as const)
      expect(await build(mode)).toEqual({ file: digestOf('one'), commit: commitOf('one') });
    expect(asked).toEqual(Array(2).fill('https://user:word@example.com/a?b=1'));
    expect(new Set(found)).toEqual(new Set([`docker.io/library/debian:12@${digestOf('one')}`]));
    expect(readFileSync(lockFile, 'utf8')).toBe(before);
  });

  it('is renewed by --pull', async () => {
    await build('write');
    world = { image: 'two', download: 'two', commit: 'two' };
    const pull = 'always' as 'missing';
    expect(await build('write', { pull })).toEqual({ file: digestOf('two'), commit: commitOf('two') });
    expect(readFileSync(lockFile, 'utf8')).not.toContain(digestOf('one'));
  });

  it('keeps what other targets pinned', async () => {
    await build('write');
    await build('write', { image: 'alpine' });
    const { images } = JSON.parse(readFileSync(lockFile, 'utf8')) as { images: object };
    expect(Object.keys(images)).toEqual(['docker.io/library/alpine:latest', 'docker.io/library/debian:12']);
  });

  it('refuses a download that was changed, and says how to take the new one', async () => {
    await build('write');
    world.download = 'two';
    await expect(build('frozen')).rejects.toMatchObject({
      code: 'digest-mismatch',
      hint: expect.stringMatching(/Containerfile\.lock .*--lock --pull/),
    });
  });

  it('must pin every name of a frozen build', async () => {
    await expect(build('frozen')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('does not pin docker.io/library/debian:12'),
    });
    expect([asked, found]).toEqual([[], []]);
  });

  it('cannot pin what is in no registry', async () => {
    world.image = undefined;
    await expect(build('write')).rejects.toMatchObject({ code: 'not-found', about: 'debian:12' });
  });

  it('leaves alone what names a digest or a commit itself', async () => {
    const image = `debian@${digestOf('own')}`;
    await build('write', { image });
    expect(found).toEqual([image]);
    expect(readFileSync(lockFile, 'utf8')).not.toContain(digestOf('own'));
  });

  it.each([
    ['not JSON', 'nonsense'],
    ['of another version', '{"version":2}'],
    ['with what is no digest', '{"version":1,"images":{"a":"latest"}}'],
    ['of null', 'null'],
  ])('that is %s is refused', async (_, text) => {
    writeFileSync(lockFile, text);
    await expect(build('write')).rejects.toMatchObject({ code: 'context' });
  });

  it('that is a pipe is refused, and keeps nobody waiting', async () => {
    rmSync(lockFile);
    execFileSync('mkfifo', [lockFile]);
    try {
      await expect(build('frozen')).rejects.toMatchObject({
        code: 'context',
        message: expect.stringContaining('is no file'),
      });
    } finally {
      rmSync(lockFile);
    }
  });

  it('needs a name where the Containerfile is no file of this machine', () => {
    expect(() => openPins({ lock: { mode: 'frozen' }, pull: 'missing' }, undefined)).toThrow(/no lock file/);
  });
});
