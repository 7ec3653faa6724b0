import { describe, expect, it } from 'vitest';
import { shellCommands } from '../../../src/containerfile/check/shell-commands.ts';

function commands(script: string): string[] {
  return shellCommands(script).map(({ text }) => text);
}

describe('the commands of a script', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['a', ['a']],
    ['a\nb; c & d', ['a', 'b', 'c', 'd']],
    ['a && b || c | d', ['a && b || c | d']],
    ['a &&\n  b |\n c', ['a &&\n  b |\n c']],
    ['a \\\n b\nc', ['a \\\n b', 'c']],
    ['# x\na # y; z\nb', ['a # y; z', 'b']],
    [`a "b; c" 'd\ne' \\; f`, [`a "b; c" 'd\ne' \\; f`]],
    [`a "$(b; c "d;e")" \`f; g\` \${h:-;}`, [`a "$(b; c "d;e")" \`f; g\` \${h:-;}`]],
    ['if a; then b; else c; fi\nd', ['if a; then b; else c; fi', 'd']],
    ['for x in a b; do c; d; done; e', ['for x in a b; do c; d; done', 'e']],
    ['while a; do b; done < c\nd', ['while a; do b; done < c', 'd']],
    ['case $a in b|c) d; e;; (f) g;; esac\nh', ['case $a in b|c) d; e;; (f) g;; esac', 'h']],
    ['(a; b); { c; d; }', ['(a; b)', '{ c; d; }']],
    ['f() { a; b; }\nf', ['f() { a; b; }', 'f']],
    ['a 2>&1; b >& c', ['a 2>&1', 'b >& c']],
    ['cat <<X >y\na; b\nX\nc', ['cat <<X >y', 'c']],
    ['echo if; echo done\nb', ['echo if', 'echo done', 'b']],
    ['! a; time b', ['! a', 'time b']],
    ['"unclosed; a\nb', ['"unclosed; a\nb']],
    ['if a; then b', ['if a; then b']],
  ])('%j', (script, wanted) => {
    expect(commands(script)).toEqual(wanted);
  });

  it('know where they begin', () => {
    const script = 'a\n  b c\n';
    expect(shellCommands(script).map(({ text, start }) => script.startsWith(text, start))).toEqual([
      true,
      true,
    ]);
  });
});
