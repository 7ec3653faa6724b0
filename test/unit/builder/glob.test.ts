import { expect, it } from 'vitest';
import { anyFolders, anyName, anyText, globTest } from '../../../builder/context/glob.ts';

/** All rows of `length` items. */
function rows<T>(items: readonly T[], length: number): T[][] {
  if (length === 0) return [[]];
  return rows(items, length - 1).flatMap((row) => items.map((item) => [...row, item]));
}

const texts = [0, 1, 2, 3, 4, 5]
  .flatMap((length) => rows(['a', 'b', '/'], length))
  .map((row) => row.join(''));

it('means the same however many parts repeat', () => {
  const patterns = rows([anyText, anyName, anyFolders, 'a', '[^/]'], 5);
  const wrong = patterns.flatMap((atoms) => {
    const expression = new RegExp(`^${atoms.join('')}$`, 'su');
    const test = globTest(atoms);
    return texts.filter((text) => test(text) !== expression.test(text)).map((text) => [atoms, text]);
  });
  expect(wrong).toEqual([]);
});

it.each([anyText, anyName, anyFolders])('ends with %s again and again', (atom) => {
  const atoms = [...Array.from({ length: 60 }, () => [atom, 'a']).flat(), 'b'];
  expect(globTest(atoms)('a/'.repeat(200))).toBe(false);
  expect(globTest(atoms)('a'.repeat(200))).toBe(false);
  expect(globTest([...atoms.slice(0, -1)])('a'.repeat(60))).toBe(true);
});
