import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileIgnore } from '../../../builder/context/ignore-patterns.ts';
import { BuildError } from '../../../src/core/errors.ts';

const table = JSON.parse(
  readFileSync(new URL('../../../testdata/containerfile/ignore.json', import.meta.url), 'utf8'),
) as {
  cases: [text: string, path: string, ignored: boolean][];
  malformed: [text: string, message: string][];
  reinclude: [text: string, directory: string, possible: boolean][];
};

/** Paths of one to three names. */
function paths(names: readonly string[]): string[] {
  const two = names.flatMap((one) => names.map((other) => `${one}/${other}`));
  return [...names, ...two, ...two.flatMap((path) => names.map((name) => `${path}/${name}`))];
}

function parentsOf(path: string): string[] {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index));
}

describe('compileIgnore', () => {
  it.each(table.cases)('%j and %j: %j', (text, path, ignored) => {
    expect(compileIgnore(text).matches(path)).toBe(ignored);
  });

  it.each(table.malformed)('refuses %j', (text, message) => {
    expect(() => compileIgnore(text)).toThrow(BuildError);
    expect(() => compileIgnore(text)).toThrow(message);
  });

  it('says where a malformed pattern stands', () => {
    const location = { file: 'sub/.dockerignore', startLine: 3, endColumn: 3 };
    expect(() => compileIgnore('fine\n\n[x', 'sub/.dockerignore')).toThrow(
      expect.objectContaining({ location: expect.objectContaining(location) }),
    );
  });

  it.each(table.reinclude)('%j: something below %j may come back: %j', (text, directory, possible) => {
    expect(compileIgnore(text).couldReinclude(directory)).toBe(possible);
  });

  it('never prunes a directory above a path that is not ignored', () => {
    const patterns = compileIgnore('a\n!a/b/c\n!*/d\nx/**\n!x/*/y\n**/t\n!q/?/t');
    const visible = paths(['a', 'b', 'c', 'd', 'x', 'y', 't', 'q']).filter((path) => !patterns.matches(path));
    const ignoredAbove = visible.flatMap((path) =>
      parentsOf(path).filter((above) => patterns.matches(above)),
    );
    expect(ignoredAbove.length).toBeGreaterThan(10);
    expect(ignoredAbove.filter((above) => !patterns.couldReinclude(above))).toEqual([]);
  });

  it('answers alike in any order of questions', () => {
    const one = compileIgnore('*\n!src\nsrc/*.tmp\n!src/keep.tmp\n**/deep');
    const asked = ['src', 'src/a.tmp', 'src/keep.tmp', 'src/x/deep/y', 'other/x', 'src/x/y'];
    const forward = asked.map((path) => one.matches(path));
    expect(forward).toEqual([false, true, false, true, true, false]);
    expect([...asked].reverse().map((path) => one.matches(path))).toEqual([...forward].reverse());
  });
});
