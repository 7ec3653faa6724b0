import { describe, expect, it } from 'vitest';
import { BuildError } from '../../../src/core/errors.ts';
import { annotateError, annotateWarnings } from '../../../src/report/annotation.ts';

const inWorkspace = (file: string): string => `app, one/${file}`;
const one = { file: 'Containerfile', startLine: 2, startColumn: 6, endLine: 2, endColumn: 10 };
const several = { file: 'Containerfile', startLine: 2, startColumn: 1, endLine: 4, endColumn: 3 };

describe('annotations', () => {
  it('name the place of an error, by columns only within a line', () => {
    const error = new BuildError('not-found', 'there is no x', { location: one, hint: 'Make one.' });
    expect(annotateError(error, inWorkspace)).toBe(
      '::error file=app%2C one/Containerfile,line=2,endLine=2,col=6,endColumn=10,title=tsbuild%3A not-found::there is no x%0AMake one.\n',
    );
    expect(annotateError(error.at(several), inWorkspace)).toContain('endColumn=10');
    const long = new BuildError('parse', 'x', { location: several });
    expect(annotateError(long, inWorkspace)).toContain('line=2,endLine=4,title=');
  });

  it('name no file that is not in the workspace', () => {
    const error = new BuildError('not-found', 'x', { location: one });
    expect(annotateError(error, () => undefined)).toBe('::error title=tsbuild%3A not-found::x\n');
  });

  it('are one for each error, ten at most, and none for a bug', () => {
    const errors = Array.from({ length: 12 }, (_, i) => new BuildError('parse', `error ${i}`));
    const text = annotateError(new BuildError('parse', 'all', { errors }), inWorkspace);
    expect(text.match(/^::error /gm)).toHaveLength(10);
    expect(annotateError(new Error('x'), inWorkspace)).toBe('');
  });

  it('carry hostile texts as text', () => {
    const note = { type: 'note', at: 1, level: 'warning', location: one, rule: 'A:b,c' } as const;
    const text = 'line\n::error::100%\r\x1b[2J';
    expect(annotateWarnings([{ ...note, text }], (file) => `${file}\n::x`)).toBe(
      '::warning file=Containerfile%0A%3A%3Ax,line=2,endLine=2,col=6,endColumn=10,title=A%3Ab%2Cc::line%0A::error::100%25\n',
    );
  });
});
