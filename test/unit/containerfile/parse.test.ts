import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scriptOf } from '../../../src/containerfile/heredoc.ts';
import { parse, parseAll, parseTrigger } from '../../../src/containerfile/parse.ts';
import { BuildError } from '../../../src/core/errors.ts';
import { dump, plain } from './dump.ts';

const file = new URL('../../../testdata/containerfile/parse.cases', import.meta.url);
const cases = readFileSync(file, 'utf8')
  .split(/^=== /m)
  .slice(1)
  .map((one) => {
    const [, name, text, expected] = /^(.*)\n([\s\S]*?)^---\n([\s\S]*)$/m.exec(one)!;
    return { name: name!, text: visible(text!), expected: expected!.trimEnd().split('\n') };
  });

/** The text that a case writes with visible signs. */
function visible(text: string): string {
  return text.replaceAll('⇥', '\t').replaceAll('␍', '\r').replaceAll('␠', ' ');
}

function thrown(work: () => unknown): BuildError {
  try {
    work();
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parse', () => {
  it('has its cases', () => expect(cases.length).toBeGreaterThan(50));

  it.each(cases)('$name', ({ text, expected }) => expect(dump(text)).toEqual(expected));

  it('throws an error with code, place and hint', () => {
    const error = thrown(() => parse('FROM a\nRUNN x\n', 'dir/Containerfile'));
    expect(error).toMatchObject({
      code: 'parse',
      message: 'unknown instruction: RUNN',
      hint: 'Did you mean RUN?',
    });
    expect(error.location).toEqual({
      file: 'dir/Containerfile',
      startLine: 2,
      startColumn: 1,
      endLine: 2,
      endColumn: 5,
    });
  });

  it('lists errors in the order of the file', () => {
    const { errors, containerfile } = parseAll('USER\nFROM\nCOPY a\n', 'f');
    expect(containerfile.stages).toHaveLength(1);
    expect(errors.map(({ location }) => location!.startLine)).toEqual([1, 2, 3]);
  });

  it('refuses a line that is too long, and takes the longest that is not', () => {
    const line = (bytes: number): string => `FROM a\nRUN ${'x'.repeat(bytes - 4)}\nRUN y`;
    expect(parse(line(65_535), 'f').stages[0]!.instructions).toHaveLength(2);
    expect(thrown(() => parse(line(65_536), 'f')).message).toContain('65535 bytes');
    const body = `FROM a\nRUN <<E\n${'é'.repeat(32_768)}\nE\n`;
    expect(thrown(() => parse(body, 'f')).location?.startLine).toBe(3);
  });

  it('takes a byte order mark off, and off the columns', () => {
    const parsed = parse('\uFEFF# escape=`\nFROM a', 'f');
    expect(parsed).toMatchObject({ escape: '`', text: '# escape=`\nFROM a' });
    const { range } = parse('\uFEFFFROM a', 'f').stages[0]!.from.image;
    expect(range).toMatchObject({ startColumn: 6, endColumn: 7 });
  });

  it('keeps the comments that stand directly above', () => {
    const text =
      '# syntax=docker/dockerfile:1\n# V the version\nARG V\n\n# far\n\n# near\n#  it\nFROM a\nRUN b';
    const { globals, stages } = parse(text, 'f');
    expect([globals[0]!.comments, stages[0]!.from.comments]).toEqual([['V the version'], ['near', 'it']]);
    expect(stages[0]!.instructions[0]!.comments).toEqual([]);
  });

  it('shows an instruction in one line', () => {
    const text =
      'FROM a\nRUN  apt-get update \\\n      && apt-get install\nENV a=b\\\nc\nRUN hi \\\n \\\n you';
    const { instructions } = parse(text, 'f').stages[0]!;
    const shown = ['RUN  apt-get update && apt-get install', 'ENV a=bc', 'RUN hi you'];
    expect(instructions.map(({ source }) => source)).toEqual(shown);
  });
});

describe('any text', () => {
  const bits = [
    '<<E',
    '\nE\n',
    '\\\n',
    '"',
    "'",
    '$',
    '{',
    '}',
    '--',
    '[',
    ']',
    '#',
    '\n\n',
    '\r',
    '`',
    ' ',
    '\t',
  ];
  const more = [
    '=',
    'ONBUILD ',
    'RUN ',
    'COPY --from=x ',
    'FROM a AS b\n',
    '$((',
    '\0',
    '\ud800',
    '--mount=id=',
  ];

  /** A text spoilt in a few places; the same for the same number. */
  function spoilt(text: string, seed: number): string {
    let state = seed;
    const random = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
      return (state >> 8) % below;
    };
    let result = text;
    for (let i = 0; i < 4; i++) {
      const at = random(result.length + 1);
      const bit = [...bits, ...more][random(bits.length + more.length)]!;
      result = result.slice(0, at) + (random(2) ? bit : '') + result.slice(at + random(6));
    }
    return result;
  }

  it('gives a file, or errors that all have a place', () => {
    const odd = cases.flatMap(({ text }, i) =>
      Array.from({ length: 10 }, (_, n) => spoilt(text, i * 10 + n)).filter((one) => {
        const { containerfile, errors } = parseAll(one, 'f');
        const placed = errors.every(({ location }) => location !== undefined && location.startLine > 0);
        return !placed || (containerfile.stages.length === 0 && errors.length === 0);
      }),
    );
    expect(odd).toEqual([]);
  });
});

describe('parseTrigger', () => {
  it('reads one instruction, its heredocs included', () => {
    expect(plain(parseTrigger('COPY --from=x a b', '\\'))).toEqual(['copy', '--from=x', 'a', 'b']);
    const heredoc = { name: 'E', fd: 0, expand: true, chomp: false, content: 'x\n' };
    expect(plain(parseTrigger('run <<E\nx\nE', '\\'))).toEqual(['run', '<<E', heredoc]);
  });

  it.each([
    ['ONBUILD RUN x', 'chaining'],
    ['FROM a', 'not allowed'],
    ['MAINTAINER me', 'not allowed'],
    ['RUNN x', 'unknown instruction'],
    ['RUN x\nRUN y', 'exactly one'],
    ['RUN <<E\nx', 'unterminated'],
    ['', 'exactly one'],
    ['# nothing', 'exactly one'],
  ])('refuses %j', (trigger, message) => {
    const error = thrown(() => parseTrigger(trigger, '\\'));
    expect(error).toMatchObject({ code: 'parse', message: expect.stringContaining(message) });
  });
});

describe('scriptOf', () => {
  const script = (run: string) => {
    const [one] = parse(`FROM a\n${run}`, 'f').stages[0]!.instructions;
    if (one?.kind !== 'run' || one.command.form !== 'shell') throw new Error('not a shell form');
    return scriptOf(one.command);
  };

  it('hands the body over as one argument, or makes it a program', () => {
    expect(script('RUN make all')).toEqual({ kind: 'argument', text: 'make all' });
    expect(script("RUN <<'E'\nset -e\nls\nE")).toEqual({ kind: 'body', text: 'set -e\nls\n' });
    expect(script("RUN << 'one two'\nls\none two")).toEqual({ kind: 'body', text: 'ls\n' });
    const program = { kind: 'file', name: 'E', content: '#!/bin/awk\nx\n' };
    expect(script('RUN <<-E\n\t#!/bin/awk\n\tx\n\tE')).toEqual(program);
  });

  it('writes every other form out again for the shell', () => {
    const again = (text: string) => ({ kind: 'argument', text });
    expect(script('RUN <<-')).toEqual({ kind: 'argument', text: '<<-' });
    expect(script('RUN <<E python3\nx\nE')).toEqual(again('<<E python3\nx\nE'));
    expect(script('RUN cat <<A <<B\na\nA\nb\nB')).toEqual(again('cat <<A <<B\na\nA\nb\nB'));
    expect(script('RUN <<A <<B\na\nA\nb\nB')).toEqual(again('<<A <<B\na\nA\nb\nB'));
  });
});
