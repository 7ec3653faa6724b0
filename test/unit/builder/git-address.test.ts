import { describe, expect, it } from 'vitest';
import { parseGitAddress, withChecksum } from '../../../builder/context/git-address.ts';
import { authorize } from '../../../builder/context/git-auth.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';
const plain = { subdir: '', submodules: true, mtime: 'commit', fetchByCommit: false };

describe('addresses of git repositories', () => {
  it.each([
    ['https://h/x.git', { url: 'https://h/x.git' }],
    ['http://h/x.git', { url: 'http://h/x.git' }],
    ['https://h/x.git#v1', { url: 'https://h/x.git', ref: 'v1' }],
    ['https://h/x.git#v1:a/../b/', { url: 'https://h/x.git', ref: 'v1', subdir: 'b' }],
    ['https://h/x.git#:sub', { url: 'https://h/x.git', subdir: 'sub' }],
    ['https://h/x.git#:../../etc', { url: 'https://h/x.git', subdir: 'etc' }],
    ['git@h:x/y', { url: 'git@h:x/y' }],
    ['git@h:x/y.git#main:d', { url: 'git@h:x/y.git', ref: 'main', subdir: 'd' }],
    ['ssh://git@h:22/x', { url: 'ssh://git@h:22/x' }],
    ['git://h/x', { url: 'git://h/x' }],
    ['https://h/x.git?branch=b', { url: 'https://h/x.git', ref: 'refs/heads/b' }],
    ['https://h/x.git?tag=t&subdir=s', { url: 'https://h/x.git', ref: 'refs/tags/t', subdir: 's' }],
    ['https://h/x.git?ref=r&keep-git-dir', { url: 'https://h/x.git', ref: 'r', keepGitDir: true }],
    ['https://h/x.git?submodules=false', { url: 'https://h/x.git', submodules: false }],
    ['https://h/x.git?mtime=checkout', { url: 'https://h/x.git', mtime: 'checkout' }],
    [`https://h/x.git?commit=${commit}`, { url: 'https://h/x.git', ref: commit, checksum: commit }],
    ['https://h/x.git?checksum=0123456&ref=r', { url: 'https://h/x.git', ref: 'r', checksum: '0123456' }],
    [
      `https://h/x.git##ref=r,commit=${commit},subdir=s`,
      { url: 'https://h/x.git', ref: 'r', checksum: commit, subdir: 's' },
    ],
  ])('%s', (text, expected) => {
    expect(parseGitAddress(text)).toEqual({ ...plain, ...expected });
  });

  it.each([
    'https://h/x',
    'https://h/x.tar.gz',
    'http://h/x.git/y',
    './x.git',
    'x.git',
    'file:///x.git',
    'a b@c:d',
    '/a@b:c',
  ])('is none: %s', (text) => expect(parseGitAddress(text)).toBeUndefined());

  it('takes github.com/… only where that may be meant', () => {
    expect(parseGitAddress('github.com/a/b')).toBeUndefined();
    expect(parseGitAddress('github.com/a/b#c', { short: true })).toMatchObject({
      url: 'https://github.com/a/b',
      ref: 'c',
    });
  });

  it.each([
    ['https://h/x.git?brnch=x', 'does not know the key "brnch"', 'Did you mean branch?'],
    ['https://h/x.git?ref=a&ref=b', 'is given twice', ''],
    ['https://h/x.git?ref=', 'has no value', ''],
    ['https://h/x.git?ref=a#b', 'two values for its ref: "b" and "a"', ''],
    ['https://h/x.git?branch=a&tag=b', 'a tag and for a branch', ''],
    ['https://h/x.git?submodules=perhaps', 'neither true nor false', ''],
    ['https://h/x.git?mtime=now', 'not known', ''],
    ['https://h/x.git?checksum=xyz', 'not the checksum', ''],
    ['https://h/x.git#--upload-pack=touch', 'cannot be the name', ''],
    ['https://h/x.git#a..b', 'cannot be the name', ''],
    ['ssh://-oProxyCommand=touch/x', 'not an address', ''],
    ['ssh://h/x y', 'not an address', ''],
    ['http://[/x.git', 'not an address', ''],
    ['https://h:99999/x.git', 'not an address', ''],
    ['https://h/x.git##ref=a,nothing=b', 'does not know the key "nothing"', ''],
  ])('refuses %s', (text, message, hint) => {
    const parse = () => parseGitAddress(text);
    expect(parse).toThrow(message);
    try {
      parse();
    } catch (error) {
      expect(error).toMatchObject({
        code: 'context',
        hint: hint === '' ? (error as { hint?: string }).hint : hint,
      });
    }
  });

  it('takes a login that percent signs do not encode', async () => {
    const { config } = await authorize('https://%zz:p@h/x.git', async () => undefined);
    expect(config[0]?.[1]).toContain(Buffer.from('%zz:p').toString('base64'));
  });

  it('shows no login in a message', () => {
    expect(() => parseGitAddress('https://me:sec@ret@h/x.git?ref=')).toThrow('key "ref" of https://h/x.git');
    expect(() => parseGitAddress('https://me:secret@h/x.git?ref=')).toThrow('key "ref" of https://h/x.git');
  });

  it('takes the whole commit of --checksum for what is fetched', () => {
    const address = parseGitAddress('https://h/x.git')!;
    expect(withChecksum(address, commit.toUpperCase())).toMatchObject({ ref: commit, checksum: commit });
    expect(withChecksum(address, '0123456')).not.toHaveProperty('ref');
    expect(() => withChecksum(address, 'sha256:0')).toThrow('not the checksum');
  });

  it('holds --checksum and the one of the address to each other', () => {
    const short = parseGitAddress('https://h/x.git?checksum=0123456')!;
    const whole = parseGitAddress(`https://h/x.git?checksum=${commit}`)!;
    expect(withChecksum(short, commit)).toMatchObject({ ref: commit, checksum: commit });
    expect(withChecksum(whole, commit.slice(0, 9)).checksum).toBe(commit);
    expect(() => withChecksum(short, '9'.repeat(40))).toThrow('--checksum names the commit 999');
  });
});
