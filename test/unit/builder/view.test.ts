import { describe, expect, it } from 'vitest';
import { LayeredView } from '../../../builder/view.ts';
import type { Entry } from '../../../src/core/types.ts';
import { entryOf } from './entry-lines.ts';
import { FakeLayers } from './fake-layers.ts';

function viewOf(...lines: string[][]): { view: LayeredView; layers: FakeLayers } {
  const layers = new FakeLayers();
  return {
    view: LayeredView.of(
      lines.map((layer) => layers.add(layer.map(entryOf))),
      layers,
    ),
    layers,
  };
}

const paths = (entries: readonly Entry[]) => entries.map(({ path }) => path);

describe('the layered view', () => {
  it('shows the topmost entry', async () => {
    const { view } = viewOf(['d a', 'f 600 a/x = 1'], ['d a', 'f 640 a/x = 22']);
    expect(await view.lookup('a/x')).toMatchObject({ mode: 0o640, size: 2 });
  });

  it('honours whiteouts, of directories too', async () => {
    const { view } = viewOf(['d a', 'd a/b', 'f a/b/x = 1', 'f y = 1'], ['w a', 'w y']);
    expect(await view.lookup('a/b/x')).toBeUndefined();
    expect(await view.lookup('a')).toBeUndefined();
    expect(await view.walk('')).toEqual([]);
  });

  it('shows what a later layer puts back', async () => {
    const { view } = viewOf(['d a', 'f a/x = 1'], ['w a'], ['d a', 'f a/y = 1']);
    expect(paths(await view.walk(''))).toEqual(['a', 'a/y']);
    expect(await view.lookup('a/x')).toBeUndefined();
  });

  it('honours opaque directories below them, not beside them', async () => {
    const { view } = viewOf(['d a', 'f a/x = 1', 'f b = 1'], ['d a', 'o a', 'f a/y = 1']);
    expect(paths(await view.walk(''))).toEqual(['a', 'a/y', 'b']);
    expect(await view.lookup('a/x')).toBeUndefined();
    expect(await view.lookup('a')).toMatchObject({ type: 'dir' });
    expect(paths(await view.walk('a'))).toEqual(['a/y']);
  });

  it('hides what was in a directory that became a file', async () => {
    const { view } = viewOf(['d a', 'f a/x = 1'], ['f a = 1']);
    expect(await view.lookup('a/x')).toBeUndefined();
    expect(await view.children('a')).toEqual([]);
    expect(paths(await view.walk(''))).toEqual(['a']);
  });

  it('lists children only, also of neighbours whose names begin alike', async () => {
    const { view } = viewOf(['d a', 'f a-b = 1', 'd a/c', 'f a/c-d = 1', 'f a/c/x = 1', 'f a0 = 1']);
    expect(paths(await view.children('a'))).toEqual(['a/c', 'a/c-d']);
    expect(paths(await view.children(''))).toEqual(['a', 'a-b', 'a0']);
  });

  it('implies directories that no layer lists, without hiding real ones', async () => {
    const { view } = viewOf(['d 700 a'], ['f a/b/c/x = 1']);
    expect(await view.lookup('a')).toMatchObject({ mode: 0o700 });
    expect(await view.lookup('a/b')).toMatchObject({ type: 'dir', mode: 0o755 });
    expect(paths(await view.walk(''))).toEqual(['a', 'a/b', 'a/b/c', 'a/b/c/x']);
    expect((await view.walk(''))[0]).toMatchObject({ mode: 0o700 });
    expect(paths(await view.children('a'))).toEqual(['a/b']);
  });

  it('gives a hard link the content and attributes of its file', async () => {
    const { view } = viewOf(['d a', 'f 600 a/x = hello', 'h b => a/x']);
    const entry = (await view.lookup('b'))!;
    expect(entry).toMatchObject({ path: 'b', type: 'file', mode: 0o600, size: 5 });
    expect(entry.digest).toMatch(/^sha256:/);
    expect(view.placeOf(entry).path).toBe('a/x');
  });

  it('knows which layer holds a file', async () => {
    const { view, layers } = viewOf(['f x = 1', 'f y = 1'], ['f y = 2']);
    const [below, above] = [...layers.listings.keys()];
    expect(view.layerOf((await view.lookup('x'))!).diffId).toBe(below);
    expect(view.layerOf((await view.lookup('y'))!).diffId).toBe(above);
    expect(() => view.layerOf(entryOf('f x = 1'))).toThrow('does not come from this view');
  });

  it('asks for no more listings than the answer needs, and for each once', async () => {
    const { view, layers } = viewOf(['f x = 1'], ['d app', 'f app/y = 1']);
    await view.lookup('app/y');
    expect(layers.asked).toHaveLength(1);
    await view.lookup('x');
    await view.lookup('nothing');
    expect(layers.asked).toHaveLength(2);
  });
});

describe('resolving inside the root', () => {
  const { view } = viewOf([
    'd usr',
    'd usr/lib',
    'f usr/lib/x = 1',
    'l lib -> usr/lib',
    'l abs -> /usr/lib',
    'l up -> ../../../usr',
    'l usr/lib/back -> ../../lib/x',
    'l usr/abs -> /usr/lib/x',
    'l loop -> loop',
    'l dangling -> usr/new/place',
  ]);
  it.each([
    ['lib/x', 'usr/lib/x', 'file'],
    ['abs/x', 'usr/lib/x', 'file'],
    ['up/lib/x', 'usr/lib/x', 'file'],
    ['usr/abs', 'usr/lib/x', 'file'],
    ['usr/lib/back', 'usr/lib/x', 'file'],
    ['/usr/../lib/./x', 'usr/lib/x', 'file'],
    ['../../lib', 'usr/lib', 'dir'],
    ['dangling', 'usr/new/place', undefined],
    ['nothing/../here', 'here', undefined],
    ['', '', 'dir'],
  ])('%s is %s', async (path, expected, type) => {
    const { path: found, entry } = await view.resolve(path, { followLast: true });
    expect([found, entry?.type]).toEqual([expected, type]);
  });

  it('leaves the last link alone when asked to', async () => {
    expect(await view.resolve('lib', { followLast: false })).toMatchObject({
      path: 'lib',
      entry: { type: 'symlink' },
    });
  });

  it('ends loops', async () => {
    await expect(view.resolve('loop/x', { followLast: true })).rejects.toThrow('too many symbolic links');
  });
});

describe('against applying layers one by one', () => {
  /** What an unpacker does: entry by entry, in a plain map. */
  function applied(layers: readonly (readonly string[])[]): string[] {
    let tree = new Map<string, string>();
    const drop = (path: string, own: ReadonlySet<string>) => {
      tree = new Map([...tree].filter(([at]) => own.has(at) || !at.startsWith(`${path}/`)));
    };
    for (const lines of layers) {
      const entries = lines.map(entryOf);
      const none = new Set<string>();
      for (const { path, type } of entries) if (type === 'opaque' || type === 'whiteout') drop(path, none);
      for (const { path, type } of entries) if (type === 'whiteout') tree.delete(path);
      for (const { path, type } of entries) {
        if (type === 'opaque' || type === 'whiteout') continue;
        if (type !== 'dir') drop(path, none);
        tree.set(path, type);
      }
    }
    return [...tree].map(([path, type]) => `${type} ${path}`).sort();
  }

  /** A layer of random entries whose parents are directories. */
  function randomLayer(next: (below: number) => number): string[] {
    const lines = new Map<string, string>();
    for (let i = 0; i < 6; i++) {
      const parts = Array.from({ length: 1 + next(3) }, () => 'abc-'[next(4)]!);
      const parents = parts.slice(0, -1).map((_, depth) => parts.slice(0, depth + 1).join('/'));
      if (parents.some((parent) => !(lines.get(parent) ?? 'd').startsWith('d'))) continue;
      const path = parts.join('/');
      if (lines.has(path)) continue;
      for (const parent of parents) lines.set(parent, `d ${parent}`);
      lines.set(path, `${['d', 'f', 'w', 'f'][next(4)]} ${path}`);
    }
    const opaque = [...lines.values()].filter((line) => line.startsWith('d ') && next(4) === 0);
    return [...lines.values(), ...opaque.map((line) => line.replace('d ', 'o '))];
  }

  it('sees the same tree, by walking, by children and by looking up', async () => {
    let seed = 7;
    const next = (below: number) => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return (seed >> 8) % below;
    };
    let shown = 0;
    for (let round = 0; round < 400; round++) {
      const lines = Array.from({ length: 1 + next(4) }, () => randomLayer(next));
      const { view } = viewOf(...lines);
      const expected = applied(lines);
      const walked = (await view.walk('')).map(({ type, path }) => `${type} ${path}`);
      expect([...walked].sort(), JSON.stringify(lines)).toEqual(expected);
      shown += walked.length;
      for (const first of 'abc-') {
        const children = (await view.children(first)).map(({ type, path }) => `${type} ${path}`);
        const wanted = expected.filter((line) => new RegExp(`^\\w+ ${first}/[^/]+$`).test(line));
        expect(children.sort(), `${first} in ${JSON.stringify(lines)}`).toEqual(wanted);
        for (const second of 'abc-') {
          const path = `${first}/${second}`;
          const entry = await view.lookup(path);
          const found = expected.find((line) => line.endsWith(` ${path}`))?.split(' ')[0];
          expect(entry?.type, `${path} in ${JSON.stringify(lines)}`).toBe(found);
        }
      }
    }
    expect(shown).toBeGreaterThan(1000);
  });
});
