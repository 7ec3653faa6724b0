import { describe, expect, it } from 'vitest';
import { analyse } from '../../../src/containerfile/analyse.ts';
import { charactersScanned } from '../../../src/containerfile/work.ts';

const platform = { os: 'linux', architecture: 'amd64' };

/** Texts of about `size` characters that ask for much of one kind. */
const shapes: Readonly<Record<string, (size: number) => string>> = {
  'small instructions': (size) =>
    `FROM a\n${'RUN echo hi && ls\nENV a=b\nCOPY --link a b\n'.repeat(size / 43)}`,
  'one huge continued line': (size) => `FROM a\nRUN x${' \\\n  && echo one two'.repeat(size / 21)}\n`,
  'words that are escapes and quotes': (size) => `FROM a\nLABEL a=${'\\"\'"\'\\$\\\n'.repeat(size / 9)}\n`,
  'a huge heredoc': (size) => `FROM a\nRUN <<-E\n${'\techo one two\n'.repeat(size / 14)}E\n`,
  'thousands of heredocs': (size) => `FROM a\n${'COPY <<E /x\necho one $two\nE\n'.repeat(size / 27)}`,
  'thousands of heredocs on one line': (size) =>
    `FROM a\nCOPY${' \\\n <<E'.repeat(size / 11)} /x/\n${'x\nE\n'.repeat(size / 11)}`,
  'shifts that look like heredocs': (size) => `FROM a\nRUN x <<${' $((1<<2 \\\n'.repeat(size / 11)}\n`,
  'ENV of thousands of pairs': (size) => `FROM a\nENV${' \\\n name="some value"'.repeat(size / 20)}\n`,
  'thousands of LABELs and global ARGs': (size) =>
    `${lines(size / 40, (i) => `ARG a${i}=$a${i - 1}`)}FROM a\n${lines(size / 40, (i) => `LABEL l${i}=some`)}`,
  'thousands of stages': (size) =>
    lines(
      size / 70,
      (i) => `FROM ${i > 0 ? `s${i - 1}` : 'a'} AS s${i}\nCOPY --from=s${i >> 1} some/files /to/a/folder`,
    ),
  'thousands of references the wrong way': (size) =>
    lines(size / 60, (i) => `FROM a AS s${i}\nCOPY --from=s${i + 1} some/files /to/a/folder`),
  'triggers for thousands of stages': (size) =>
    `FROM x AS s\nFROM a AS p\nONBUILD COPY --from=s a b\n${lines(size / 60, (i) => `FROM p AS the-stage-that-has-the-number-${i}\nLABEL a=b`)}`,
  'deep substitutions': (size) =>
    `${lines(size / 920, () => `ARG A="${'${a:-'.repeat(150)}x${'}'.repeat(150)}"`)}FROM a\n`,
  'many flags': (size) => `FROM a\nCOPY${' \\\n --exclude=*.md'.repeat(size / 18)} a b\n`,
  'comments in continuations': (size) => `FROM a\nRUN x${' \\\n# a comment here'.repeat(size / 19)}\n y\n`,
  'empty lines in continuations': (size) => `FROM a\nRUN x${' \\\n\n\n\n y'.repeat(size / 8)}\n`,
  'thousands of errors': (size) => `FROM a\n${'RUNN x\n'.repeat(size / 7)}`,
  'JSON of thousands of words': (size) => `FROM a\nRUN ["x"${', \\\n "one two"'.repeat(size / 14)}]\n`,
  'blanks without end': (size) => `FROM a\nRUN x${`${' '.repeat(60_000)}\\\n`.repeat(size / 60_000)}y\n`,
};

function lines(count: number, line: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => `${line(i)}\n`).join('');
}

/** Characters read per character of the text. */
function perCharacter(text: string): number {
  const before = charactersScanned();
  analyse(text, 'f', { buildArgs: {}, platforms: [platform], every: true });
  return (charactersScanned() - before) / text.length;
}

describe('the work of reading a file', () => {
  it.each(Object.keys(shapes))('grows with its length only: %s', (shape) => {
    const [small, middle, large] = [1e5, 1e6, 4e6].map((size) => perCharacter(shapes[shape]!(size)));
    expect(small).toBeGreaterThan(1);
    expect(middle).toBeLessThan(small! * 1.25 + 0.5);
    expect(large).toBeLessThan(small! * 1.25 + 0.5);
    expect(Math.max(small!, large!)).toBeLessThan(30);
  });
});
