import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import type { Entry, ImageConfig } from '../../../src/core/types.ts';
import { changedDirectories } from '../../../src/oci/changed-directories.ts';
import { configChanges, historyChanges } from '../../../src/oci/config-diff.ts';
import { fileChanges } from '../../../src/oci/file-diff.ts';

const file: Entry = {
  path: 'f',
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 1,
  mtime: 1_700_000_000,
  digest: digestOf('x'),
};
const changesOf = (a: Partial<Entry>, b: Partial<Entry>, times = false) =>
  fileChanges([{ ...file, ...a }], [{ ...file, ...b }], { times });

describe('files', () => {
  it.each([
    ['content', { digest: digestOf('y') }],
    ['mode', { mode: 0o4755 }],
    ['owner', { uid: 3 }],
    ['owner', { gid: 3 }],
    ['xattrs', { xattrs: { 'security.capability': '\x01' } }],
  ] as const)('differ in %s alone', (aspect, other) => {
    expect(changesOf({}, other).map(({ aspects }) => aspects)).toEqual([[aspect]]);
  });

  it('of another type differ in nothing that only one of them has', () => {
    const link = { type: 'symlink', link: 'x', size: 0, mode: 0o777 } as const;
    const { digest: _, ...plain } = file;
    const [change] = fileChanges([file], [{ ...plain, ...link }], { times: false });
    expect(change).toMatchObject({
      how: 'changed',
      aspects: ['type', 'mode'],
      after: { link: 'x', mode: '0777' },
    });
  });

  it('and links and devices are told apart by what they lead to', () => {
    const link = { type: 'symlink', mode: 0o777 } as const;
    expect(changesOf({ ...link, link: 'a' }, { ...link, link: 'b', mode: 0 })[0]?.aspects).toEqual(['link']);
    const device = (minor: number) => ({ type: 'char', device: { major: 1, minor } }) as const;
    expect(changesOf(device(1), device(2))[0]?.aspects).toEqual(['device']);
  });

  it('of other times differ where times count', () => {
    expect(changesOf({}, { mtime: 0 })).toEqual([]);
    expect(changesOf({}, { mtime: 0 }, true)[0]).toMatchObject({
      aspects: ['time'],
      before: { time: '2023-11-14T22:13:20Z' },
    });
    expect(changesOf({}, { mtime: 1e15 }, true)[0]?.after?.time).toBe('1000000000000000');
  });

  it('are found by merging, whichever comes first', () => {
    const at = (...paths: readonly string[]) => paths.map((path) => ({ ...file, path }));
    const found = fileChanges(at('a', 'b', 'd', 'e'), at('b', 'c', 'e', 'f'), { times: false });
    expect(found.map(({ path, how }) => `${how} ${path}`)).toEqual([
      'removed a',
      'added c',
      'removed d',
      'added f',
    ]);
  });
});

describe('many files', () => {
  const added = (path: string, size = 10, type: Entry['type'] = 'file') =>
    fileChanges([], [{ ...file, path, size, type }], { times: false });
  const short = (most: number, changes: ReturnType<typeof added>) =>
    changedDirectories(changes, most).map(
      ({ path, deep, added, bytes }) => `${path}${deep ? '' : '*'} ${added} ${bytes}`,
    );
  const numbers = (folder: string, count: number) =>
    Array.from({ length: count }, (_, i) => added(`${folder}/${i}`)).flat();

  it('are summed up by directories, those with most of them split up', () => {
    const changes = [
      ...numbers('usr/lib', 50),
      ...numbers('usr/share/doc', 60),
      ...added('etc/x'),
      ...added('top'),
    ];
    expect(short(5, changes)).toEqual(['* 1 10', 'etc 1 10', 'usr/lib 50 500', 'usr/share/doc 60 600']);
    expect(short(3, changes)).toEqual(['* 1 10', 'etc 1 10', 'usr 110 1100']);
    expect(short(1, changes)).toEqual([' 112 1120']);
  });

  it('a directory counts within itself', () => {
    expect(short(9, [...added('d', 0, 'dir'), ...numbers('d', 3)])).toEqual(['d 4 30']);
  });
});

describe('configurations', () => {
  const config = (fields: object, image: object = {}): ImageConfig =>
    ({ architecture: 'amd64', os: 'linux', ...image, config: fields }) as unknown as ImageConfig;
  const changes = (a: ImageConfig, b: ImageConfig, times = false) =>
    configChanges(a, b, { times }).map(({ what, name, how, before = '-', after = '-' }) =>
      [what, name, how, before, after].join(' '),
    );

  it('differ setting by setting', () => {
    const a = config({
      Env: ['A=1', 'B=x=y'],
      Labels: { l: '1' },
      ExposedPorts: { '80/tcp': {} },
      Cmd: ['a'],
      User: '',
    });
    const b = config({
      Env: ['B=x=z', 'C='],
      Labels: { l: '2' },
      Volumes: { '/v': {} },
      Cmd: ['b'],
      Later: { x: 1 },
    });
    expect(changes(a, b)).toEqual([
      'variable A removed 1 -',
      'variable B changed x=y x=z',
      'label l changed 1 2',
      'port 80/tcp removed - -',
      'setting Cmd changed ["a"] ["b"]',
      'variable C added - -',
      'volume /v added - -',
      'setting Later added - {"x":1}',
    ]);
  });

  it('differ in what the image is for, and in its time where that counts', () => {
    const a = config({}, { created: 'one', rootfs: 1 });
    const b = config({}, { created: 'two', architecture: 'arm64', rootfs: 2, history: [] });
    expect(changes(a, b)).toEqual(['image architecture changed amd64 arm64']);
    expect(changes(a, b, true)).toContain('image created changed one two');
  });

  it('have names that no object must be asked for', () => {
    const labels = JSON.parse('{"__proto__":"1"}') as object;
    expect(changes(config({ Labels: labels }), config({ Env: ['__proto__=2'] }))).toEqual([
      'label __proto__ removed 1 -',
      'variable __proto__ added - 2',
    ]);
  });

  it('have histories, of which the same beginning and end are left out', () => {
    const steps = (...names: readonly string[]) => names.map((created_by) => ({ created_by }));
    expect(historyChanges(steps('a', 'b', 'c'), steps('a', 'x', 'y', 'c'))).toEqual({
      removed: steps('b'),
      added: steps('x', 'y'),
    });
    expect(historyChanges(steps('a', 'a'), steps('a'))).toEqual({ removed: steps('a'), added: [] });
  });
});
