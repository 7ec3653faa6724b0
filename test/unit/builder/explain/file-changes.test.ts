import { describe, expect, it } from 'vitest';
import { listChanges } from '../../../../builder/explain/file-changes.ts';
import { contentText } from '../../../../builder/steps/copy-key.ts';
import type { Item } from '../../../../builder/steps/copy-select.ts';
import type { SelectedFiles } from '../../../../builder/steps/file-list.ts';
import { digestOf } from '../../../../src/core/digest.ts';
import { renderChange } from '../../../../src/report/explain.ts';

type Files = Readonly<Record<string, string>>;

/** Files by path; a value that begins with `/` makes a directory, with `->` a link. */
function folder(top: string, files: Files): SelectedFiles {
  const paths = Object.keys(files).sort();
  const at = (path: string) => (top === '' ? path : `${top}/${path}`);
  const below = paths.map((path) => ({ path, file: { entry: entryOf(at(path), files[path]!) } }));
  const item: Item = { name: 'x', top: { entry: entryOf(top, '/') }, below };
  const digests = new Map(paths.map((path) => [at(path), digestOf(files[path]!)]));
  return { text: Buffer.from(contentText([item], digests)), tops: [top] };
}

function entryOf(path: string, value: string): Item['top']['entry'] {
  const plain = { path, mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0 };
  if (value.startsWith('/')) return { ...plain, type: 'dir', mode: 0o755 };
  return value.startsWith('->')
    ? { ...plain, type: 'symlink', link: value.slice(2) }
    : { ...plain, type: 'file' };
}

function changes(before: Files, after: Files, top = ''): string[] {
  return listChanges(folder(top, before), folder(top, after)).map(renderChange);
}

describe('changes of files', () => {
  it.each<[string, Files, Files, string[]]>([
    ['nothing', { a: '1', b: '2' }, { a: '1', b: '2' }, []],
    ['the first', { a: '1', b: '2', c: '3' }, { a: 'x', b: '2', c: '3' }, ['file a: content']],
    ['the last', { a: '1', b: '2', c: '3' }, { a: '1', b: '2', c: 'x' }, ['file c: content']],
    ['all', { a: '1' }, { a: '2' }, ['file a: content']],
    ['one that ends like the next', { xb: '1' }, { b: '1', xb: '1' }, ['file b: added']],
    ['two far apart', { a: '1', b: '2', c: '3' }, { b: '2', c: 'x' }, ['file a: removed', 'file c: content']],
    ['a file renamed', { a: '1', z: '9' }, { b: '1', z: '9' }, ['file b: renamed, was a']],
    ['one copy of two renamed', { a: '1', b: '1' }, { c: '1', b: '1' }, ['file c: renamed, was a']],
    ['a folder renamed', { d: '/', 'd/a': '1' }, { e: '/', 'e/a': '1' }, ['directory e: renamed, was d']],
    [
      'a folder renamed and changed',
      { d: '/', 'd/a': '1', 'd/b': '2' },
      { e: '/', 'e/a': '1', 'e/b': 'x' },
      ['directory d: removed', 'directory e: added'],
    ],
    ['a link', { a: '->x' }, { a: '->y' }, ['link a: link, x → y']],
    ['a link for a file', { a: '1' }, { a: '->y' }, ['link a: type, file → link']],
    [
      'a name with all kinds of signs',
      { 'a "b\\c" [d]\n': '1' },
      { 'a "b\\c" [d]\n': '2' },
      ['file a "b\\c" [d] : content'],
    ],
  ])('are told of %s', (_, before, after, told) => {
    expect(changes(before, after)).toEqual(told);
    const below = changes(before, after, 'src');
    expect(below).toHaveLength(told.length);
    for (const line of below) expect(line).toMatch(/^\w+ src\//);
  });

  it('are found in a large folder', () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`f${i}`, String(i)]));
    const { f2500: _, ...others } = many;
    expect(changes(many, { ...others, f1: 'x', g: 'new' })).toEqual([
      'file f1: content',
      'file f2500: removed',
      'file g: added',
    ]);
  });

  it('are told of items that are files, and of several folders', () => {
    const [one, two] = ['1', '2'].map((text) => folder('two', { a: text }));
    const lone = (text: string) => `file 420 0 0 ${digestOf(text)} "name"\n`;
    const both = (first: string, second: SelectedFiles) => ({
      text: Buffer.concat([Buffer.from(lone(first)), second.text]),
      tops: ['dir/name', 'two'],
    });
    expect(listChanges(both('1', one!), both('1', two!)).map(renderChange)).toEqual(['file two/a: content']);
    expect(listChanges(both('1', one!), both('2', one!)).map(renderChange)).toEqual([
      'file dir/name: content',
    ]);
  });
});
