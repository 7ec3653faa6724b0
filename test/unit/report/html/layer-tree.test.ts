import { describe, expect, it } from 'vitest';
import { layerTree } from '../../../../src/report/html/layer-tree.ts';
import type { TreeNode } from '../../../../src/report/html/report-data.ts';
import { file, folder } from '../../../support/report-data.ts';

/** What a person reads, a row a line. */
function shown(tree: TreeNode, rows = 100): string[] {
  const { markup } = layerTree(tree, rows);
  return [...markup.matchAll(/class="row[^"]*">(.*?)<\/(?:li|summary)>/g)].map((row) =>
    row[1]!
      .replace(/<svg.*?<\/svg>/g, '')
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  );
}

describe('the tree of a layer', () => {
  it('joins directories that hold nothing but another one', () => {
    const tree = folder('', [folder('usr', [folder('lib', [file('a.so', 2000), file('b.so', 10)])])]);
    expect(shown(tree)).toEqual(['usr/lib/ 2.01kB', 'a.so 2.00kB', 'b.so 10B']);
  });

  it('shows the biggest within its rows, wherever they are, and says what it leaves out', () => {
    const many = Array.from({ length: 50 }, (_, i) => file(`small-${i}`, 10));
    const tree = folder('', [folder('big', [file('huge', 5000), ...many]), folder('other', many)]);
    expect(shown(tree, 3)).toEqual([
      ...['big/ 5.50kB', 'huge 5.00kB', 'and 50 more 500B'],
      ...['other/ 500B'],
    ]);
  });

  it('tells what was deleted, changed, and lost to later layers', () => {
    const tree = folder('', [
      file('kept', 100, { change: 'changed' }),
      file('gone later', 50, { lost: 50 }),
      file('gone', 0, { type: 'whiteout', change: 'removed', files: 0 }),
    ]);
    expect(shown(tree)).toEqual(['kept changed 100B', 'gone later lost 50B', 'gone deleted']);
    expect(layerTree(folder('', []), 10).markup).toContain('holds nothing');
  });
});
