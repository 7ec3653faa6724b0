import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import type { Entry, EntryType, Listing } from '../../../src/core/types.ts';
import { analyseLayers, type LayerAnalysis } from '../../../src/oci/layer-analysis.ts';
import { historyOfLayers, instructionOf } from '../../../src/oci/layer-history.ts';
import { biggestDirectories, biggestFiles, type FileNode } from '../../../src/oci/layer-tree.ts';
import { sorted } from '../../../src/oci/listing.ts';

/** `a=12` is a file of 12 bytes of its own, `a=12:x` one whose content is named x; the rest by its mark. */
function listing(...words: readonly string[]): Listing {
  return sorted(words.map(entryOf));
}

function entryOf(word: string): Entry {
  const [path = '', size, content = path] = word.split(/[=:]/);
  const base = { mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0 };
  const marked = (type: EntryType): Entry => ({ ...base, path: path.slice(0, -1), type });
  if (path.includes('->')) {
    const [name = '', link = ''] = path.split('->');
    return { ...base, path: name, type: 'hardlink', link };
  }
  if (path.endsWith('/')) return { ...marked('dir'), mode: Number.parseInt(size ?? '755', 8) };
  if (path.endsWith('-')) return marked('whiteout');
  if (path.endsWith('!')) return marked('opaque');
  return { ...base, path, type: 'file', size: Number(size), digest: digestOf(`${size} ${content}`) };
}

function analyse(...listings: readonly Listing[]): LayerAnalysis {
  const layers = listings.map((one, i) => ({ diffId: digestOf(String(i)), listing: one }));
  return analyseLayers(layers, []);
}

function lines(tree: FileNode, indent = ''): string[] {
  return tree.children.flatMap((node) => [
    `${indent}${node.name} ${node.type} ${node.change} ${node.bytes}/${node.lost}`,
    ...lines(node, `${indent}  `),
  ]);
}

const short = ({ losses }: LayerAnalysis): string[] =>
  losses.map(
    ({ path, bytes, files, layer, by, how }) => `${how} ${path} ${bytes} in ${files}: ${layer} by ${by}`,
  );

describe('layers on each other', () => {
  it('lose what later ones replace, remove or repeat', () => {
    const found = analyse(
      listing('app/', 'app/keep=10', 'app/old=20', 'lib/', 'lib/a=30', 'lib/b=1', 'same=5:s'),
      listing('app/old=25', 'lib-'),
      listing('app/new=7', 'same=5:s'),
    );
    expect(short(found)).toEqual([
      'removed lib 31 in 2: 0 by 1',
      'replaced app/old 20 in 1: 0 by 1',
      'repeated same 5 in 1: 0 by 2',
    ]);
    expect([found.bytes, found.lost]).toEqual([103, 56]);
    expect(found.efficiency).toBeCloseTo(47 / 103);
    expect(found.layers.map(({ tree }) => [tree.bytes, tree.files, tree.lost])).toEqual([
      [66, 5, 56],
      [25, 1, 0],
      [12, 2, 0],
    ]);
    expect(lines(found.layers[1]!.tree)).toEqual([
      'app dir kept 25/0',
      '  old file changed 25/0',
      'lib whiteout removed 0/0',
    ]);
    expect(lines(found.image)).toEqual([
      'app dir added 42/0',
      '  old file changed 25/0',
      '  keep file added 10/0',
      '  new file added 7/0',
      'same file changed 5/0',
    ]);
  });

  it('that empty a directory hide all that was below it', () => {
    const found = analyse(listing('d/', 'd/x=3', 'd/e/y=4'), listing('d/', 'd!', 'd/x=9'));
    expect(short(found)).toEqual(['removed d 7 in 2: 0 by 1']);
    expect(lines(found.image)).toEqual(['d dir kept 9/0', '  x file added 9/0']);
    expect(short(analyse(listing('x=3'), listing('!', 'y=1')))).toEqual(['removed  3 in 1: 0 by 1']);
  });

  it('put files in the place of directories and the other way round', () => {
    expect(short(analyse(listing('d/', 'd/x=3'), listing('d=1')))).toEqual(['replaced d 3 in 1: 0 by 1']);
    expect(short(analyse(listing('d=3'), listing('d/', 'd/x=1')))).toEqual(['replaced d 3 in 1: 0 by 1']);
    expect(short(analyse(listing('d=3'), listing('d/x=1')))).toEqual(['replaced d 3 in 1: 0 by 1']);
  });

  it('tell a directory that changed from one that is only written again', () => {
    const found = analyse(listing('a/', 'b/'), listing('a/', 'b/=700'));
    expect(lines(found.layers[1]!.tree)).toEqual(['a dir kept 0/0', 'b dir changed 0/0']);
  });

  it('count a file with several names once, until the last is gone', () => {
    const first = listing('a=8', 'b->a');
    expect(analyse(first).bytes).toBe(8);
    expect(analyse(first).image.files).toBe(1);
    expect(analyse(first, listing('a-')).lost).toBe(0);
    expect(lines(analyse(first, listing('a-')).image)).toEqual(['b hardlink added 8/0']);
    expect(short(analyse(first, listing('a-'), listing('b-')))).toEqual(['removed b 8 in 1: 0 by 2']);
    expect(analyse(first).copies).toEqual([]);
  });

  it('show contents that lie in several files', () => {
    const found = analyse(
      listing('a=8:c', 'b=8:c', 'd=1:e', 'gone=1:e', 'zero=0:', 'nil=0:'),
      listing('gone-', 'f=8:c'),
    );
    expect(found.copies).toEqual([{ digest: digestOf('8 c'), bytes: 8, paths: ['a', 'b', 'f'] }]);
  });

  it('of nothing waste nothing', () => {
    expect(analyse()).toMatchObject({ bytes: 0, lost: 0, efficiency: 1, layers: [] });
    expect(analyse(listing())).toMatchObject({ bytes: 0, efficiency: 1 });
  });
});

describe('the biggest', () => {
  const { image } = analyse(listing('usr/lib/x/a=60', 'usr/lib/x/b=35', 'usr/share/c=5', 'var/d=40', 'e=1'));

  it('files come with their path', () => {
    expect(biggestFiles(image, 2).map(({ path, bytes }) => [path, bytes])).toEqual([
      ['usr/lib/x/a', 60],
      ['var/d', 40],
    ]);
  });

  it('directories leave out what is only around another one', () => {
    expect(biggestDirectories(image, 9).map(({ path, bytes }) => [path, bytes])).toEqual([
      ['usr/lib/x', 95],
      ['var', 40],
      ['usr/share', 5],
    ]);
  });
});

describe('the history of layers', () => {
  const entry = (created_by: string, empty_layer = false) => ({
    created_by,
    ...(empty_layer && { empty_layer }),
  });
  const names = (count: number, ...history: readonly { readonly created_by: string }[]) =>
    historyOfLayers(count, history).map((found) => found?.created_by);

  it('is matched without the steps that made none', () => {
    expect(names(2, entry('a'), entry('env', true), entry('b'))).toEqual(['a', 'b']);
  });

  it('belongs to the upper layers where there is too little', () => {
    expect(names(3, entry('a'))).toEqual([undefined, undefined, 'a']);
  });

  it('tells nothing where there is too much', () => {
    expect(names(1, entry('a'), entry('b'))).toEqual([undefined]);
  });
});

describe('instructions of the history', () => {
  it.each([
    ['RUN /bin/sh -c make # buildkit', 'RUN make'],
    ['RUN |2 a=1 b=two words /bin/sh -c make all # buildkit', 'RUN make all'],
    ['/bin/sh -c apt-get update', 'RUN apt-get update'],
    ['|1 a=1 /bin/sh -c make', 'RUN make'],
    ['/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'],
    ['COPY a b /dest/ # buildkit', 'COPY a b /dest/'],
    ['RUN /bin/bash -c make # buildkit', 'RUN /bin/bash -c make'],
    ['ENV A=/bin/sh -c x', 'ENV A=/bin/sh -c x'],
    ['debuerreotype 0.15', 'debuerreotype 0.15'],
  ])('%s', (created_by, expected) => {
    expect(instructionOf({ created_by })).toBe(expected);
  });
});
