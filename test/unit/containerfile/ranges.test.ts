import { describe, expect, it } from 'vitest';
import { finerRange } from '../../../src/containerfile/finer.ts';
import { parse } from '../../../src/containerfile/parse.ts';
import type { Word } from '../../../src/containerfile/types.ts';
import type { SourceRange } from '../../../src/core/errors.ts';

const text = [
  'ARG V=1 W="a b"',
  'FROM --platform=linux/amd64 base:$V AS one',
  '  ENV a=1 \\',
  '      b="two"',
  'COPY --from=x --chown="$U:1" src/a \\',
  '  # between',
  '  src/b /dst/',
  'COPY ["a b", "/c"]',
  'RUN --mount=type=cache,target=/c make <<E',
  'body',
  'E',
  'EXPOSE 90 80',
  'LABEL old  all of this ',
].join('\n');

/** What a range covers in the text. */
function covered({ startLine, startColumn, endLine, endColumn }: SourceRange): string {
  const lines = text.split('\n').slice(startLine - 1, endLine);
  lines[lines.length - 1] = lines.at(-1)!.slice(0, endColumn - 1);
  lines[0] = lines[0]!.slice(startColumn - 1);
  return lines.join('\n');
}

function wordsIn(value: unknown): Word[] {
  if (typeof value !== 'object' || value === null) return [];
  const { text: word, range } = value as Partial<Word>;
  if (typeof word === 'string' && range !== undefined) return [{ text: word, range }];
  return Object.values(value).flatMap(wordsIn);
}

describe('ranges', () => {
  const { globals, stages } = parse(text, 'f');
  const found = wordsIn([globals, stages]);

  it('cover exactly each word', () => {
    expect(found.map(({ range }) => covered(range)).sort()).toEqual(
      [
        ...['1', '"a b"', 'base:$V', 'linux/amd64', 'a', '1', 'b', '"two"'],
        ...['src/a', 'src/b', '/dst/', 'x', '"$U:1"', '"a b"', '"/c"'],
        ...['type=cache,target=/c', '80', '90', 'old', 'all of this'],
        ...['ARG', 'FROM', 'AS', 'one', 'ENV', 'COPY', 'COPY', 'RUN', 'EXPOSE', 'LABEL'],
      ].sort(),
    );
  });

  it('cover the word as written; flags and JSON elements lose their own quotes in the text', () => {
    const different = found.filter(({ text: word, range }) => covered(range) !== word);
    expect(different.map(({ text: word }) => word).sort()).toEqual(['$U:1', '/c', 'a b']);
  });

  it('cover each instruction with its continuation lines and heredocs', () => {
    const lines = stages[0]!.instructions.map(({ range: at }) => [
      at.startLine,
      at.startColumn,
      at.endLine,
      at.endColumn,
    ]);
    expect(lines).toEqual([
      [3, 3, 4, 14],
      [5, 1, 7, 14],
      [8, 1, 8, 19],
      [9, 1, 11, 2],
      [12, 1, 12, 13],
      [13, 1, 13, 23],
    ]);
  });
});

describe('finerRange', () => {
  const containerfile = parse(text, 'f');
  const from = containerfile.stages[0]!.from.range;
  const [env, copy, json, run] = containerfile.stages[0]!.instructions.map(({ range }) => range);

  it('finds a variable and an argument', async () => {
    expect(covered(await finerRange(containerfile, from, 'V'))).toBe('$V');
    expect(covered(await finerRange(containerfile, copy!, 'src/b'))).toBe('src/b');
  });

  it('finds what stands once where the second parser knows nothing', async () => {
    expect(covered(await finerRange(containerfile, json!, 'a b'))).toBe('a b');
    expect(covered(await finerRange(containerfile, run!, 'target=/c'))).toBe('target=/c');
  });

  it('leaves the range where it finds nothing, or too much', async () => {
    expect(await finerRange(containerfile, env!, 'nowhere')).toBe(env);
    expect(await finerRange(containerfile, env!, '=')).toBe(env);
    expect(await finerRange(containerfile, env!, '')).toBe(env);
  });

  it('does not believe a second parser whose instruction is another', async () => {
    const odd = 'FROM a\nRUN x \\\\\nRUN echo $v $w\n';
    const [first, second] = parse(odd, 'f').stages[0]!.instructions;
    expect(await finerRange({ file: 'f', text: odd }, first!.range, 'v')).toBe(first!.range);
    expect(await finerRange({ file: 'f', text: odd }, second!.range, '$w')).toMatchObject({
      startLine: 3,
      startColumn: 13,
      endColumn: 15,
    });
  });
});
