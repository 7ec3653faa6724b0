import { describe, expect, it } from 'vitest';
import { type AnalyseOptions, type Analysis, analyse } from '../../../src/containerfile/analyse.ts';
import type { Include } from '../../../src/containerfile/types.ts';
import { BuildError } from '../../../src/core/errors.ts';

const platform = { os: 'linux', architecture: 'amd64' };

function look(text: string, options: Partial<AnalyseOptions> = {}): Analysis {
  return analyse(text, 'Containerfile', { buildArgs: {}, platforms: [platform], ...options });
}

/** `line:column message`, one an error. */
function told({ errors }: Analysis): string[] {
  return errors.map(({ location, message }) => {
    const { file, startLine, startColumn } = location ?? {};
    const place = file === 'Containerfile' ? '' : `${file ?? 'nowhere'}:`;
    return `${place}${startLine ?? ''}:${startColumn ?? ''} ${message}`;
  });
}

/** Files by name, as a folder would have them. */
function folder(files: Readonly<Record<string, string>>): Include {
  return (path) => {
    const text = files[path];
    if (text === undefined) throw new BuildError('not-found', `there is no ${path}`);
    return { file: path, text };
  };
}

describe('analyse', () => {
  it('tells all that is wrong, parsing and graph alike, in the order of the file', () => {
    const text = [
      'FROM alpine AS one',
      'RUNN x',
      'COPY --from=two a b',
      'FROM $NONE AS two',
      'COPY --from=9 a b',
      'FROM --platform=linux/ b AS three',
      'ENV x',
      'COPY --from=three a b',
      'FROM one',
      'COPY --from=two a b',
      'COPY --from=three a b',
    ].join('\n');
    expect(told(look(text))).toEqual([
      '2:1 unknown instruction: RUNN',
      '3:13 cannot copy from stage "two", it needs to be defined before current stage "one"',
      '4:6 base name ($NONE) should not be blank',
      '5:13 there is no stage 9',
      '6:17 "linux/" is not a platform',
      '7:5 ENV must have two arguments',
      '8:13 circular dependency detected on stage: three',
    ]);
  });

  it('gives what could be read beside the errors', () => {
    const {
      containerfile,
      graphs: [graph],
    } = look('FROM a AS x\nRUN <<E\nFROM b AS y\nRUNN\nE\nUSER\nFROM x\nCOPY a b');
    expect(containerfile.stages.map(({ instructions }) => instructions.map(({ kind }) => kind))).toEqual([
      ['run'],
      ['copy'],
    ]);
    expect(graph?.stages.map(({ base, needs }) => [base, needs])).toEqual([
      [{ kind: 'image', reference: 'a' }, []],
      [{ kind: 'stage', index: 0 }, [0]],
    ]);
  });

  it('keeps the number and the name of a stage whose FROM is wrong', () => {
    const text =
      'FROM --platfrom=x golang AS build\nFROM a b\nFROM c\nCOPY --from=build a b\nCOPY --from=1 a b';
    expect(told(look(text))).toEqual([
      '1:6 unknown flag: --platfrom',
      '2:1 FROM requires either one or three arguments: FROM image [AS name]',
    ]);
    expect(told(look(text, { target: 'build' }))).toHaveLength(2);
  });

  it('tells one mistake once, not again where something depends on it', () => {
    expect(told(look(`ARG A="\${B:?set B}"\nARG P=linux\nFROM a:$A\nFROM --platform=$A b`))).toEqual([
      '1:7 B: set B',
    ]);
    expect(told(look('AGR A=1\nFROM $A\nFROM b'))).toEqual(['1:1 unknown instruction: AGR']);
    expect(told(look('FRMO a\nRUN x\nCOPY --from=b c d'))).toEqual(['1:1 unknown instruction: FRMO']);
    expect(told(look('RUN x\nRUN y\nFROM a\nRUNN x'))).toEqual([
      '1:1 no build stage in current context: RUN stands before the first FROM',
      '4:1 unknown instruction: RUNN',
    ]);
  });

  it('tells an unknown target beside what is wrong with the file', () => {
    const found = look('FROM a AS one\nRUNN x', { target: 'two' });
    expect(told(found)).toEqual([
      '2:1 unknown instruction: RUNN',
      'nowhere:: target stage "two" could not be found',
    ]);
    expect(found.graphs[0]).toBeUndefined();
  });

  it('looks at every stage where it is asked to', () => {
    const text = 'FROM $NONE AS unused\nFROM a AS other\nFROM b';
    expect(told(look(text))).toEqual([]);
    const every = look(text, { every: true });
    expect(told(every)).toEqual(['1:6 base name ($NONE) should not be blank']);
    expect(every.graphs[0]).toMatchObject({ target: 2, stages: [{}, {}, {}] });
  });

  it('is told which syntax counts by BUILDKIT_SYNTAX', () => {
    const notes = (text: string, asked?: string) =>
      look(text, {
        buildArgs: asked === undefined ? {} : { BUILDKIT_SYNTAX: asked },
      }).containerfile.warnings.map(({ text: what, location }) => `${location.startLine} ${what}`);
    const foreign = '# escape=\\\n# syntax=example.com/x\nFROM a';
    expect(notes(foreign)).toHaveLength(1);
    expect(notes(foreign, 'dockerfile.v0')).toEqual([]);
    expect(notes(foreign, 'docker/dockerfile:1.4')).toEqual([]);
    expect(notes('FROM a', 'example.com/y')).toEqual([
      '1 the frontend example.com/y is not run: the file is read as the built-in language',
    ]);
  });

  it('reads the settings of # check=', () => {
    const { check } = look('# check=skip=A, B;error=true;experimental=all\nFROM a').containerfile;
    expect(check).toEqual({ skip: ['A', 'B'], error: true, experimental: ['all'] });
    const above = look('FROM a\n# check=skip=C\nRUN x').containerfile;
    expect(above.check).toBeUndefined();
    expect(above.stages[0]!.instructions[0]!.comments).toEqual(['check=skip=C']);
  });

  it('tells a line that is too long, and goes on', () => {
    const text = `FROM a\nRUN ${'x'.repeat(70_000)} \\\n  y\n# ${'é'.repeat(40_000)}\nRUNN x`;
    expect(told(look(text))).toEqual([
      '2:1 line 2 is longer than the 65535 bytes that a line may have',
      '4:1 line 4 is longer than the 65535 bytes that a line may have',
      '5:1 unknown instruction: RUNN',
    ]);
  });

  it('finds its way through stages that are many and deep', () => {
    const count = 50_000;
    const chain = Array.from({ length: count }, (_, i) => `FROM ${i === 0 ? 'a' : `s${i - 1}`} AS s${i}`);
    const {
      errors,
      graphs: [graph],
    } = look(chain.join('\n'));
    expect([errors.length, graph?.stages.length]).toEqual([0, count]);
    const circle = look(
      `FROM a AS first\nCOPY --from=s${count - 1} a b\nFROM first AS s-1\n${chain.join('\n').replace('FROM a', 'FROM s-1')}`,
    );
    expect(told(circle)).toEqual(['2:13 circular dependency detected on stage: first']);
  });
});

describe('--enable', () => {
  it('switches an extension on, or says which there are', () => {
    expect(told(look('FROM a\nCOPY --optional b c', { enable: ['optional-copy'] }))).toEqual([]);
    const { errors } = look('FROM a', { enable: ['optional-cpy'] });
    expect(errors[0]).toMatchObject({
      code: 'usage',
      message: 'there is no extension "optional-cpy"',
      hint: 'Did you mean optional-copy?',
    });
  });
});

describe('INCLUDE', () => {
  const enable = ['include'];

  it('puts the instructions of the file in its place, each with its own', () => {
    const include = folder({
      'base.inc': '# syntax=docker/dockerfile:1\nFROM a AS base\nINCLUDE deep/two.inc\n',
      'deep/two.inc': 'RUN <<E\nx\nE\n# about\nENV a=b',
    });
    const {
      containerfile,
      graphs: [graph],
      errors,
    } = look('INCLUDE base.inc\nFROM base\nINCLUDE deep/two.inc\nRUN y', {
      enable,
      include,
    });
    expect(errors).toEqual([]);
    expect(graph?.stages.map(({ needs }) => needs)).toEqual([[], [0]]);
    const places = containerfile.stages.map(({ instructions }) =>
      instructions.map(({ kind, range }) => `${kind} ${range.file}:${range.startLine}`),
    );
    expect(places).toEqual([
      ['run deep/two.inc:1', 'env deep/two.inc:5'],
      ['run deep/two.inc:1', 'env deep/two.inc:5', 'run Containerfile:4'],
    ]);
    expect([...containerfile.included.keys()]).toEqual(['base.inc', 'deep/two.inc']);
  });

  it('tells the mistakes of all files, the first file first', () => {
    const include = folder({ 'a.inc': 'RUNN x\nENV', 'b.inc': '# escape=`\n# tsbuild: reset\nUSER\n' });
    const text =
      '# tsbuild: include\nFROM a\nINCLUDE b.inc\nCOPPY a\nINCLUDE a.inc\nINCLUDE c.inc\nINCLUDE $X\nINCLUDE --x y';
    expect(told(look(text, { include }))).toEqual([
      '4:1 unknown instruction: COPPY',
      '6:1 there is no c.inc',
      "7:9 INCLUDE doesn't support variable expansion",
      '8:9 INCLUDE takes no flags',
      'b.inc:1:1 the file that includes this one escapes with \\, and this one does not',
      'b.inc:1:1 the included file needs the extension reset, which is off',
      'b.inc:3:1 USER requires exactly one argument',
      'a.inc:1:1 unknown instruction: RUNN',
      'a.inc:2:1 ENV requires at least one argument',
    ]);
  });

  it('names a circle, and ends where files include each other too deep or too often', () => {
    const circle = folder({ 'a.inc': 'INCLUDE b.inc', 'b.inc': 'INCLUDE a.inc' });
    expect(told(look('FROM a\nINCLUDE a.inc', { enable, include: circle }))).toEqual([
      'b.inc:1:9 INCLUDE goes round in a circle: a.inc → b.inc → a.inc',
    ]);
    const deep: Include = (path) => ({ file: path, text: `INCLUDE ${path}x` });
    expect(told(look('FROM a\nINCLUDE x', { enable, include: deep }))).toEqual([
      `${'x'.repeat(32)}:1:9 INCLUDE is nested more than 32 deep`,
    ]);
    const wide: Include = (path) => ({ file: path, text: `INCLUDE ${path}x\n`.repeat(9) });
    const { errors } = look('FROM a\nINCLUDE x', { enable, include: wide });
    expect(errors.map(({ message }) => message)).toContain('more than 1000 INCLUDEs');
    expect(errors.length).toBeLessThan(2000);
  });
});
