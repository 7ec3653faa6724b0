import { chmodSync, mkdtempSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyContext } from '../../../builder/context/empty.ts';
import { openContext } from '../../../builder/context/local.ts';
import { type CopyInput, type CopySource, selectFiles } from '../../../builder/steps/copy.ts';
import { componentMatcher, hasWildcard } from '../../../builder/steps/copy-match.ts';
import { parseMode } from '../../../builder/steps/copy-mode.ts';
import { pick } from '../../../builder/steps/copy-select.ts';
import { contextTree } from '../../../builder/steps/copy-source.ts';
import { type Framed, keyOf } from '../../../src/core/digest.ts';
import { BuildError } from '../../../src/core/errors.ts';
import { entryOf, makeFiles } from './entry-lines.ts';
import { FakeLayers, FakeStatCache, FakeWriter, fakeScratch } from './fake-layers.ts';

const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' as const, diff_ids: [] } };

function copyOf(source: string, changes: Partial<CopyInput> = {}): CopyInput {
  return {
    kind: 'copy',
    sources: [source],
    heredocs: [],
    destination: '/x/',
    workdir: '/',
    link: false,
    ...changes,
  };
}

function stand(lines: readonly string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'context-'));
  makeFiles(folder, lines);
  const layers = new FakeLayers();
  const tools = { store: { layers: layers.asLayers(), scratch: fakeScratch }, emit: () => {} };
  const statCache = new FakeStatCache();
  const source = (): CopySource => ({ kind: 'context', context: openContext(folder, { statCache }) });
  const keyNow = async (input = copyOf('d')): Promise<Framed> =>
    keyOf(await (await selectFiles(input, source(), tools)).contentKey());
  return { folder, layers, tools, statCache, source, keyNow };
}

describe('a source that is missing', () => {
  it('of a Containerfile on stdin is missing because no file came with it', async () => {
    const source: CopySource = { kind: 'context', context: emptyContext() };
    await expect(selectFiles(copyOf('a/b'), source, stand().tools)).rejects.toMatchObject({
      message: '"/a/b": not found in the build context',
      hint: expect.stringMatching(/^The build context has no files: .*-f - FOLDER/),
    });
  });
});

describe('the content key', () => {
  const lines = ['f d/a = 1', 'f d/e/b = 2', 'l d/l -> a'];

  it('does not depend on times, nor on where the files come from', async () => {
    const { folder, keyNow } = stand(lines);
    const before = await keyNow();
    utimesSync(join(folder, 'd/a'), 5, 5);
    expect(await keyNow()).toBe(before);
    renameSync(join(folder, 'd'), join(folder, 'renamed'));
    expect(await keyNow(copyOf('renamed'))).toBe(before);
  });

  it.each<[string, (folder: string) => void]>([
    ['content', (folder) => writeFileSync(join(folder, 'd/a'), '3')],
    ['mode', (folder) => chmodSync(join(folder, 'd/a'), 0o600)],
    ['mode of a directory', (folder) => chmodSync(join(folder, 'd/e'), 0o700)],
    ['name', (folder) => renameSync(join(folder, 'd/a'), join(folder, 'd/c'))],
    ['a new file', (folder) => writeFileSync(join(folder, 'd/c'), '')],
    ['a link', (folder) => makeFiles(folder, ['l d/l2 -> a'])],
    ['a hard link', (folder) => makeFiles(folder, ['h d/h => d/a'])],
  ])('depends on %s', async (_, change) => {
    const { folder, keyNow } = stand(lines);
    const before = await keyNow();
    change(folder);
    expect(await keyNow()).not.toBe(before);
  });

  it.each<[string, Partial<CopyInput>]>([
    ['destination', { destination: '/y/' }],
    ['kind', { kind: 'add' }],
    ['chown', { chown: '1' }],
    ['chmod', { chmod: '600' }],
    ['link', { link: true }],
    ['parents', { parents: true }],
    ['excludes', { excludes: ['a'] }],
    ['unpack', { unpack: true }],
    ['heredocs', { heredocs: [{ name: 'x', content: 'y' }] }],
  ])('depends on %s', async (_, changes) => {
    const { keyNow } = stand(lines);
    expect(await keyNow(copyOf('d', changes))).not.toBe(await keyNow());
  });

  it('does not depend on the mode of the directory whose contents are copied', async () => {
    const { folder, keyNow } = stand(lines);
    const before = await keyNow();
    chmodSync(join(folder, 'd'), 0o700);
    expect(await keyNow()).toBe(before);
  });

  it('tells apart a file that two sources share from a hard link', async () => {
    const { keyNow } = stand(['f d/a = 1', 'h d/b => d/a', 'f e/a = 1', 'f e/b = 1']);
    expect(await keyNow(copyOf('d'))).not.toBe(await keyNow(copyOf('e')));
  });
});

describe('what is read', () => {
  it('is counted, and not read again once remembered', async () => {
    const { source, tools, layers } = stand(['f d/a = 12345', 'f d/b = 123']);
    const first = await selectFiles(copyOf('d'), source(), tools);
    expect(first.unreadBytes).toBe(8);
    expect(first.firstKey).toBeUndefined();
    const key = await first.write([], await layers.writer());
    const second = await selectFiles(copyOf('d'), source(), tools);
    expect(second.unreadBytes).toBe(0);
    expect(await second.contentKey()).toEqual(key);
  });

  it('is nothing at all for a stage before its files are wanted', async () => {
    const { tools, layers } = stand();
    const below = layers.add([entryOf('d x')]);
    const layer = layers.add([entryOf('f a = 1'), entryOf('f b = 2')]);
    const other = layers.add([entryOf('f c = 1')]);
    const snapshot = { layers: [other, layer], config };
    const selection = await selectFiles(copyOf('a'), { kind: 'snapshot', snapshot }, tools);
    expect(selection.unreadBytes).toBe(0);
    expect(JSON.stringify(selection.firstKey)).toContain(layer.diffId);
    expect(layers.asked).toEqual([]);
    await selection.contentKey();
    expect(layers.asked.every((asked) => asked.startsWith('listing'))).toBe(true);
    await selection.write([below], await layers.writer());
    expect(layers.asked.filter((asked) => asked.startsWith('tree'))).toEqual([`tree ${layer.diffId}`]);
  });

  it('has a first key where only the Containerfile is read', async () => {
    const { tools, source } = stand();
    const heredocs = [{ name: 'EOF', content: 'hi' }];
    const selection = await selectFiles(copyOf('', { sources: [], heredocs }), source(), tools);
    expect(selection.firstKey).toEqual(await selection.contentKey());
  });

  it('has a first key that tells sources apart', async () => {
    const { tools, layers } = stand();
    const snapshot = { layers: [layers.add([entryOf('f a = 1'), entryOf('f b = 1')])], config };
    const keys = await Promise.all(
      ['a', 'b', '*'].map(
        async (name) => (await selectFiles(copyOf(name), { kind: 'snapshot', snapshot }, tools)).firstKey!,
      ),
    );
    expect(new Set(keys.map(keyOf)).size).toBe(3);
  });

  it('has a first key of every word', async () => {
    const { tools, layers } = stand();
    const snapshot = { layers: [layers.add([entryOf('f a = 1')])], config };
    const words: Partial<CopyInput>[] = [
      {},
      { excludes: ['a'] },
      { excludes: ['b'] },
      { optional: true },
      { parents: true },
      { sources: ['./a'], parents: true },
      { sources: ['/./a'], parents: true },
      { unpack: false },
    ];
    const keys = words.map(
      async (changes) =>
        (await selectFiles(copyOf('a', changes), { kind: 'snapshot', snapshot }, tools)).firstKey!,
    );
    expect(new Set((await Promise.all(keys)).map(keyOf)).size).toBe(words.length);
  });

  it('tells apart a directory that is taken from one that only has what is taken', async () => {
    const { keyNow } = stand(['f d/a = 1']);
    const [whole, part] = ['d', 'd/a'].map((source) => keyNow(copyOf(source, { parents: true })));
    expect(await whole).not.toBe(await part);
  });

  it('names every directory once', async () => {
    const { source, tools, layers } = stand(['f a/b/x = 1', 'f a/c/x = 2', 'f a/d/y = 3']);
    const input = copyOf('a/*/x', { parents: true });
    const { context } = source() as Extract<CopySource, { kind: 'context' }>;
    const items = await pick(input, contextTree(context), tools);
    const names = items.flatMap(({ below }) => below.map(({ path }) => path));
    expect(names).toEqual(['a', 'a/b', 'a/b/x', 'a/c', 'a/c/x']);
    expect(layers.asked).toEqual([]);
  });

  it('is none of what a flag excludes', async () => {
    const { folder, keyNow } = stand(['f d/a = 1', 'f d/b = 2']);
    const input = copyOf('d', { excludes: ['b'] });
    const before = await keyNow(input);
    writeFileSync(join(folder, 'd/b'), '3');
    expect(await keyNow(input)).toBe(before);
  });

  it('is no directory in which nothing can be taken', async () => {
    const { folder, source, tools } = stand(['f d/a = 1', 'f d/node_modules/b = 2', 'f e/c = 3']);
    chmodSync(join(folder, 'd/node_modules'), 0);
    const opened: string[] = [];
    const { context } = source() as Extract<CopySource, { kind: 'context' }>;
    const children = context.children.bind(context);
    context.children = (directory) => {
      opened.push(directory);
      return children(directory);
    };
    const excludes = ['**/node_modules'];
    await selectFiles(copyOf('d/*', { excludes, parents: true }), { kind: 'context', context }, tools);
    expect(opened).toEqual(['', 'd']);
  });

  it('keeps times of files, and of the directory whose contents are copied', async () => {
    const { folder, source, tools, layers } = stand(['f d/a = 1']);
    utimesSync(join(folder, 'd'), 2000, 2000);
    const writer = await layers.writer();
    await (await selectFiles(copyOf('d'), source(), tools)).write([], writer);
    expect(writer.written).toMatchObject([
      { path: 'x', mtime: 2000 },
      { path: 'x/a', mtime: 1000 },
    ]);
  });
});

describe('a file that changes while it is read', () => {
  it('fails by name, and may be tried again', async () => {
    const { folder, source, tools, layers } = stand(['f d/a = one']);
    const from = source();
    const selection = await selectFiles(copyOf('d'), from, tools);
    const before = await selection.contentKey();
    writeFileSync(join(folder, 'd/a'), 'two');
    const error = await selection.write([], await layers.writer()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'context',
      retry: true,
      message: '"/d/a" of the build context changed while it was read',
    });
    const again = await selectFiles(copyOf('d'), from, tools);
    const key = await again.contentKey();
    expect(key).not.toEqual(before);
    expect(await again.write([], await layers.writer())).toEqual(key);
  });

  it('is told from one that cannot be read', async () => {
    const { source, tools, layers } = stand(['f d/a = one']);
    const selection = await selectFiles(copyOf('d'), source(), tools);
    const writer = await layers.writer();
    const cause = Object.assign(new Error('no'), { code: 'EACCES' });
    const add = async (entry: { readonly type: string }): Promise<never> => {
      if (entry.type !== 'file') return entry as never;
      throw new BuildError('context', '"x/a" cannot be read (EACCES)', { cause, hint: 'Make it readable.' });
    };
    const error = await selection
      .write([], Object.assign(writer, { add }))
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      retry: false,
      message: '"/d/a" of the build context cannot be read (EACCES)',
      hint: 'Make it readable.',
    });
  });

  it('is noticed by its size as well', async () => {
    const { folder, source, tools, layers } = stand(['f d/a = one']);
    class Strict extends FakeWriter {
      override async add(...[entry, content]: Parameters<FakeWriter['add']>) {
        return await super.add(entry, content).catch((cause: unknown) => {
          throw new BuildError('context', 'another size', { cause, retry: true });
        });
      }
    }
    const selection = await selectFiles(copyOf('d'), source(), tools);
    writeFileSync(join(folder, 'd/a'), 'longer');
    await expect(selection.write([], new Strict(layers))).rejects.toMatchObject({
      code: 'context',
      retry: true,
    });
  });
});

describe('a stage whose tree leads elsewhere', () => {
  it('is refused', async () => {
    const { tools, layers, folder } = stand();
    const layer = layers.add([entryOf('d d'), entryOf('f d/a = 1')]);
    const tree = await layers.tree(layer);
    renameSync(join(tree, 'd'), join(folder, 'elsewhere'));
    makeFiles(tree, [`l d -> ${join(folder, 'elsewhere')}`]);
    layers.tree = async () => tree;
    const selection = await selectFiles(
      copyOf('d'),
      { kind: 'snapshot', snapshot: { layers: [layer], config } },
      tools,
    );
    await expect(selection.write([], await layers.writer())).rejects.toThrow('leads out of its layer');
  });
});

describe('patterns of one component', () => {
  it.each<[string, string, boolean]>([
    ['*', 'abc', true],
    ['*', '', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abb', false],
    ['?', 'é', true],
    ['?', '', false],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['[^a-c]x', 'dx', true],
    ['[\\]]', ']', true],
    ['[a\\-c]', 'b', false],
    ['a.c', 'abc', false],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['(a|b)+$', '(a|b)+$', true],
    ['[c-a]', 'b', false],
    ['a-*', 'a-b', true],
  ])('%s and %s: %s', (pattern, name, expected) => expect(componentMatcher(pattern)(name)).toBe(expected));

  it.each(['[', '[]a]', '[a', 'a\\', '[a-', '[\\'])('refuses %s', (pattern) => {
    expect(() => componentMatcher(pattern)).toThrow('syntax error in the pattern');
  });

  it('knows a pattern from a name', () => {
    expect(['*', 'a?', 'a[b]', 'a\\\\*'].map(hasWildcard)).toEqual([true, true, true, true]);
    expect(['a', 'a\\*', 'a]'].map(hasWildcard)).toEqual([false, false, false]);
  });
});

describe('--chmod', () => {
  it.each<[string, number, boolean, number]>([
    ['755', 0o600, false, 0o755],
    ['0', 0o600, false, 0],
    ['07777', 0, true, 0o7777],
    ['u+x', 0o644, false, 0o744],
    ['+x', 0o644, false, 0o755],
    ['go-rwx', 0o777, true, 0o700],
    ['a=rX', 0o700, false, 0o555],
    ['a=rX', 0o600, false, 0o444],
    ['a=rX', 0o600, true, 0o555],
    ['g=u', 0o640, false, 0o660],
    ['u=rw,go=r', 0o777, false, 0o644],
    ['u+s,+t', 0o755, false, 0o5755],
    ['g-s', 0o2755, true, 0o755],
    ['u=', 0o777, false, 0o077],
    ['u+r-w', 0o200, false, 0o400],
    ['u=rwx,g=rx', 0o6777, true, 0o757],
    ['a-x,a+X', 0o755, false, 0o755],
    ['u=rw,go=rX', 0o700, false, 0o655],
    ['o+t,o+s', 0o755, true, 0o755],
    ['u+t', 0o755, true, 0o1755],
    ['g=u-w', 0o640, false, 0o640],
  ])('%s of %o', (text, mode, isDirectory, expected) => {
    expect(parseMode(text).apply(mode, isDirectory).toString(8)).toBe(expected.toString(8));
  });

  it.each(['999', '77777', '10000', 'x', 'u', 'z+x', 'u+q', '', 'u=rwx,', '-1'])('refuses "%s"', (text) => {
    expect(() => parseMode(text)).toThrow(`invalid chmod parameter: '${text}'`);
  });
});
