import { describe, expect, it } from 'vitest';
import { BuildError, type SourceRange } from '../../../src/core/errors.ts';
import { renderFailure, renderSnippet } from '../../../src/report/error.ts';

const text = [
  '# syntax',
  'FROM alpine',
  'RUN echo a \\',
  '  && make all',
  '',
  'COPY --chown=me src /app',
  '\tENV a=b',
  'LABEL 名前=値 x=y',
  'USER me',
].join('\n');

function at(startLine: number, startColumn: number, endLine: number, endColumn: number): SourceRange {
  return { file: 'Containerfile', startLine, startColumn, endLine, endColumn };
}

const plain = { read: () => text, debug: false };

describe('source', () => {
  it.each([
    ['one-line', at(6, 6, 6, 16)],
    ['several-lines', at(3, 1, 4, 14)],
    ['behind-a-tab', at(7, 2, 7, 5)],
    ['wide-characters', at(8, 7, 8, 11)],
    ['first-line', at(1, 1, 1, 9)],
    ['last-line', at(9, 1, 9, 8)],
    ['whole-lines', at(3, 1, 5, 1)],
    ['past-the-end', at(20, 1, 20, 5)],
  ])('shows %s', async (name, location) => {
    await expect(renderSnippet(text, location)).toMatchFileSnapshot(
      `../../../testdata/report/source.${name}.txt`,
    );
  });

  it('cuts long instructions and long lines', () => {
    const long = [
      'FROM a',
      ...Array.from({ length: 100 }, (_, i) => `RUN ${i} \\`),
      'x'.repeat(10_000),
      'CMD b',
    ];
    const shown = renderSnippet(long.join('\n'), at(2, 1, 102, 10_001)).split('\n');
    expect(shown.length).toBeLessThan(50);
    expect(Math.max(...shown.map((line) => line.length))).toBeLessThan(600);
    expect(shown).toContain('     |     … 81 lines more');
    const numbers = shown.flatMap((line) => line.match(/^ *(\d+) \|/)?.[1] ?? []).map(Number);
    expect([...numbers.slice(0, 3), ...numbers.slice(-4)]).toEqual([1, 2, 3, 19, 101, 102, 103]);
  });

  it('cuts to a terminal what begins within it', () => {
    const wide = ['FROM a', `RUN ${'make all; '.repeat(20)}`, `CMD ${'x '.repeat(60)}`].join('\n');
    const shown = renderSnippet(wide, at(2, 1, 2, 205), 60).split('\n');
    expect(Math.max(...shown.map((line) => line.length))).toBe(60);
    expect(shown.filter((line) => line.endsWith('…'))).toHaveLength(2);
    expect(shown[4]).toBe(`     |     ${'^'.repeat(48)}`);
    expect(renderSnippet(wide, at(2, 100, 2, 104), 60)).toBe(renderSnippet(wide, at(2, 100, 2, 104)));
  });

  it('puts the carets under the exact columns', () => {
    const lines = renderSnippet(text, at(6, 6, 6, 16)).split('\n');
    const marked = lines.findIndex((line) => line.startsWith('   6 |'));
    const [source, carets] = [lines[marked]!, lines[marked + 1]!];
    expect(source.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('--chown=me');
  });
});

describe('a failure', () => {
  it('ends lines between words for a terminal', () => {
    const error = new BuildError('run-failed', 'process "make all" did not end well', {
      hint: 'Look at what it wrote.',
      log: ['it broke'],
    });
    const step = `[1/2] RUN ${'x'.repeat(60)}`;
    expect(renderFailure(error, { ...plain, step, columns: 24 })).toBe(
      `------\n > [1/2] RUN xxxxxxxxx…:\nit broke\n------\n${[
        ...['error: process "make', 'all" did not end well'],
        ...['hint: Look at what it', 'wrote.', ''],
      ].join('\n')}`,
    );
  });

  it('has no line that a runner of GitHub would obey', () => {
    const error = new BuildError('run-failed', 'process "a\n::error::b" failed', {
      log: ['  ::add-mask::c', '::d'],
    });
    expect(renderFailure(error, plain)).not.toMatch(/^\s*::/m);
  });

  it('tells log, source, reason and hint, in this order', async () => {
    const error = new BuildError('run-failed', 'the command `make all` exited with code 2', {
      location: at(3, 1, 4, 14),
      hint: 'Look at the log.',
      log: ['gcc x.c', '\x1b[2Jx.c:1: error'],
      exitCode: 2,
    });
    const out = renderFailure(error, {
      ...plain,
      step: '[2/4] RUN echo a && make all',
      logFile: '/logs/2.log',
    });
    await expect(out).toMatchFileSnapshot('../../../testdata/report/failure.run.txt');
  });

  it('tells every error of a file, and how many there are', async () => {
    const errors = [
      new BuildError('parse', 'no such stage', { location: at(2, 6, 2, 12), hint: 'Name another.' }),
      new BuildError('parse', 'no such target'),
      new BuildError('parse', 'no such user', { location: at(9, 6, 9, 8) }),
    ] as const;
    const out = renderFailure(BuildError.together(errors), plain);
    await expect(out).toMatchFileSnapshot('../../../testdata/report/failure.several.txt');
    const many = Array.from({ length: 150 }, (_, i) => new BuildError('parse', `no ${i}`));
    const long = renderFailure(new BuildError('parse', 'f has 150 errors', { errors: many }), plain);
    expect(long.match(/^error: /gm)).toHaveLength(101);
    expect(long).toContain('error: no 99\n\n… 50 errors more\n\nerror: f has 150 errors\n');
  });

  it('goes without what is not known', () => {
    const error = new BuildError('registry', 'no answer\x1b]0;x\x07');
    expect(renderFailure(error, plain)).toBe('error: no answer\n');
    const placed = new BuildError('parse', 'no such stage', { location: at(2, 1, 2, 5) });
    const blind = renderFailure(placed, { read: () => undefined, debug: false });
    expect(blind).toBe('Containerfile:2:1\nerror: no such stage\n');
  });

  it('tells causes only under --debug', () => {
    const cause = new Error('connect ECONNREFUSED', { cause: new Error('deeper') });
    const error = new BuildError('registry', 'no answer', { cause });
    expect(renderFailure(error, plain)).not.toContain('ECONNREFUSED');
    expect(renderFailure(error, { ...plain, debug: true })).toBe(
      'error: no answer\ncause: connect ECONNREFUSED\ncause: deeper\n',
    );
  });

  it('ends on a cause that is its own cause', () => {
    const error = new Error('loop');
    error.cause = error;
    const out = renderFailure(new BuildError('image', 'y', { cause: error }), { ...plain, debug: true });
    expect(out.split('\n').length).toBeLessThan(12);
  });

  it('says of anything else that it is a bug', () => {
    const out = renderFailure(new TypeError('x is not a function'), plain);
    expect(out).toContain('error: unexpected failure: x is not a function\n');
    expect(out).toContain('bug in tsbuild');
    expect(out).not.toContain('error.test.ts');
    expect(renderFailure(new TypeError('x'), { ...plain, debug: true })).toContain('error.test.ts');
    expect(renderFailure('a string', plain)).toContain('a string');
  });
});
