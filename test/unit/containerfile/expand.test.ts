import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { expandHeredoc, expandWord, expandWords, variablesIn } from '../../../src/containerfile/expand.ts';
import { BuildError } from '../../../src/core/errors.ts';

type Row<Result> = [source: string, result: Result | { error: string }];

const table = JSON.parse(
  readFileSync(new URL('../../../testdata/containerfile/expand.json', import.meta.url), 'utf8'),
) as {
  env: Record<string, string>;
  cases: Row<string>[];
  backquote: Row<string>[];
  heredoc: Row<string>[];
  words: Row<string[]>[];
};

function check<Result>([source, expected]: Row<Result>, expand: (source: string) => Result): void {
  if (typeof expected === 'object' && expected !== null && 'error' in expected) {
    expect(() => expand(source)).toThrow(BuildError);
    expect(() => expand(source)).toThrow(expected.error);
  } else expect(expand(source)).toEqual(expected);
}

/** `${a:-${a:-…inner…}}`. */
function nested(depth: number, inner: string): string {
  return `${'$' + '{a:-'}`.repeat(depth) + inner + '}'.repeat(depth);
}

describe('expandWord', () => {
  it.each(table.cases)('%j', (...row) => check(row, (source) => expandWord(source, table.env)));

  it.each(table.backquote)('with a backquote as escape: %j', (...row) =>
    check(row, (source) => expandWord(source, table.env, { escape: '`' })),
  );

  it('takes every value as it was before: nothing is expanded twice', () => {
    expect(expandWord('$A', { A: '$B "q"', B: 'no' })).toBe('$B "q"');
  });

  it('knows no variable that the environment merely inherits', () => {
    expect(expandWord('[$constructor$toString$__proto__]', {})).toBe('[]');
  });

  it('tells which names have no value', () => {
    const unset: string[] = [];
    const source = ['$A $', '{B:-x} "$C" \'$D\' $E'].join('');
    expandWord(source, { C: '', E: undefined }, { onUnset: (name) => unset.push(name) });
    expect(unset).toEqual(['A', 'B', 'E']);
  });

  it('refuses substitutions that are nested without end', () => {
    expect(() => expandWord(nested(20_000, 'x'), {})).toThrow('nested too deeply');
    expect(expandWord(nested(50, 'x'), {})).toBe('x');
  });

  it('matches patterns of many stars without trying every way', () => {
    const value = 'a'.repeat(3000);
    expect(expandWord(['$', `{V#${'*a'.repeat(30)}b}`].join(''), { V: value })).toBe(value);
  });
});

describe('expandWords', () => {
  it.each(table.words)('%j', (...row) => check(row, (source) => expandWords(source, table.env)));
});

describe('expandHeredoc', () => {
  it.each(table.heredoc)('%j', (...row) => check(row, (source) => expandHeredoc(source, table.env)));
});

describe('variablesIn', () => {
  it('finds names with their places, inside defaults and quotes too', () => {
    const text = ['a$B "$', "{C:-$D}\" '$no' \\$no $", '{E%x}'].join('');
    const found = variablesIn(text);
    expect(found.map(({ name, start, end }) => [name, text.slice(start, end)])).toEqual([
      ['B', '$B'],
      ['C', ['$', '{C:-$D}'].join('')],
      ['D', '$D'],
      ['E', ['$', '{E%x}'].join('')],
    ]);
  });

  it('finds those before a mistake', () => {
    expect(variablesIn('$A "$B').map(({ name }) => name)).toEqual(['A', 'B']);
  });
});
