import { describe, expect, it } from 'vitest';
import { type GraphOptions, graphOf } from '../../../src/containerfile/graph.ts';
import { parse } from '../../../src/containerfile/parse.ts';
import type { StageGraph } from '../../../src/containerfile/types.ts';
import { BuildError } from '../../../src/core/errors.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm = { os: 'linux', architecture: 'arm', variant: 'v7' };

function graph(text: string, options: Partial<GraphOptions> = {}): StageGraph {
  return graphOf(parse(text, 'Containerfile'), { buildArgs: {}, platform: amd64, ...options });
}

/** `index base needs`, a stage a line. */
function shape({ stages }: StageGraph): string[] {
  return stages.map(({ stage, base, needs }) => {
    const from =
      base.kind === 'image' ? base.reference : base.kind === 'stage' ? `#${base.index}` : 'scratch';
    return `${stage.index} ${from} [${needs.join(' ')}]`;
  });
}

function failure(text: string, options: Partial<GraphOptions> = {}): BuildError {
  try {
    graph(text, options);
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
  throw new Error('no failure');
}

const file = [
  'FROM alpine AS base',
  'FROM base AS lib',
  'COPY --from=alpine /etc/x /x',
  'FROM golang AS unused',
  'FROM scratch AS App',
  'COPY --from=LIB /x /x',
  'COPY --from=0 /y /y',
  'RUN --mount=type=cache,from=lib,target=/c --mount=from=busybox,target=/b x',
].join('\n');

describe('graphOf', () => {
  it('holds what the target needs, in file order', () => {
    const whole = graph(file);
    expect(shape(whole)).toEqual(['0 alpine []', '1 #0 [0]', '3 scratch [0 1]']);
    expect(whole.target).toBe(3);
    expect(shape(graph(file, { target: 'BASE' }))).toEqual(['0 alpine []']);
    expect(shape(graph(file, { target: 'unused' }))).toEqual(['2 golang []']);
  });

  it('names what is near an unknown target', () => {
    expect(failure(file, { target: 'apps' })).toMatchObject({
      code: 'parse',
      message: 'target stage "apps" could not be found',
      hint: 'Did you mean app?',
    });
    expect(failure(file, { target: 'nothing' }).hint).toBe('There are: base, lib, unused, app.');
    expect(failure(file, { target: '1' }).hint).toContain('There are');
    expect(failure('FROM a', { target: 'x' }).hint).toContain('No stage has a name');
  });

  it('refuses a reference to a later stage, and circles, at the word', () => {
    const later = failure('FROM a AS one\nCOPY --from=two x y\nFROM b AS two\nFROM one');
    expect(later.message).toBe(
      'cannot copy from stage "two", it needs to be defined before current stage "one"',
    );
    expect(later.location).toMatchObject({ startLine: 2, startColumn: 13, endColumn: 16 });
    const circle = 'FROM a AS one\nCOPY --from=two x y\nFROM b AS two\nCOPY --from=one x y\n';
    expect(failure(circle).message).toMatch(/^circular dependency detected on stage: (one|two)$/);
    expect(failure('FROM a AS me\nCOPY --from=me x y').message).toBe(
      'circular dependency detected on stage: me',
    );
    const based = 'FROM a AS one\nRUN --mount=from=two,target=/t x\nFROM one AS two';
    expect(failure(based).message).toContain('circular dependency');
  });

  it('does not mind mistakes in stages that are not needed', () => {
    expect(
      shape(graph('FROM a AS one\nCOPY --from=two x y\nFROM $NOTHING AS bad\nFROM c AS two\nFROM b')),
    ).toEqual(['3 b []']);
  });

  it('takes the last of two stages with one name, and for FROM the last above', () => {
    const text = 'FROM a AS x\nFROM b AS x\nFROM x AS y\nFROM scratch\nCOPY --from=x p q\nCOPY --from=y p q';
    expect(shape(graph(text))).toEqual(['1 b []', '2 #1 [1]', '3 scratch [1 2]']);
    expect(shape(graph('FROM x AS x'))).toEqual(['0 x []']);
    expect(shape(graph('FROM later\nFROM b AS later', { target: 'later' }))).toEqual(['1 b []']);
  });

  it('counts stages from 0 in --from', () => {
    const error = failure('FROM a\nFROM b\nCOPY --from=7 x y');
    expect(error).toMatchObject({
      message: 'there is no stage 7',
      location: { startLine: 3, startColumn: 13 },
    });
  });

  it('leaves named contexts to the caller, before stages of that name', () => {
    const text = 'FROM a AS lib\nFROM lib AS mid\nFROM scratch\nCOPY --from=Lib x y\nCOPY --from=mid x y';
    expect(shape(graph(text, { contexts: ['LIB'] }))).toEqual(['1 lib []', '2 scratch [1]']);
  });

  it('knows a named context by every form of its name', () => {
    const text = 'FROM docker.io/library/lib:latest\nCOPY --from=lib:latest x y\nCOPY --from=lib:1 x y';
    const { warnings } = graph(text, { contexts: ['index.docker.io/library/lib', 'lib:1'] });
    expect(warnings).toEqual([]);
    expect(shape(graph('FROM a AS lib\nFROM lib:latest', { contexts: ['lib'] }))).toEqual([
      '1 lib:latest []',
    ]);
  });

  it('puts a named context in the place of a stage, whatever leads there', () => {
    const text = 'FROM a AS one\nFROM b AS two\nRUN --mount=from=one,target=/x y\nFROM c\nCOPY --from=1 x y';
    const replaced = graph(text, { contexts: ['two'] });
    expect(shape(replaced)).toEqual(['1 two []', '2 c [1]']);
    expect(replaced.stages[0]!.stage.instructions).toEqual([]);
    expect(shape(graph(text, { contexts: ['two'], target: 'two' }))).toEqual(['1 two []']);
  });

  it('warns of a context that nothing names, and not of one that an unneeded stage does', () => {
    const text = 'FROM a AS spare\nCOPY --from=src x y\nFROM base\nRUN --mount=from=tools,target=/t x';
    const { warnings } = graph(text, { contexts: ['src', 'base', 'tools', 'tolls'] });
    expect(warnings.map(({ text, hint }) => [text, hint])).toEqual([
      ['the context tolls is not used: no FROM, --from or mount names it', 'Did you mean tools?'],
    ]);
  });

  it('follows the triggers of a parent stage, and those of an image once they are known', () => {
    const text = 'FROM a AS tools\nFROM b AS parent\nONBUILD COPY --from=tools /t /t\nFROM parent\nRUN x';
    expect(shape(graph(text))).toEqual(['0 a []', '1 b []', '2 #1 [0 1]']);
    expect(shape(graph(text, { target: 'parent' }))).toEqual(['1 b []']);
    const image = 'FROM a AS tools\nFROM b';
    expect(shape(graph(image))).toEqual(['1 b []']);
    const triggers = new Map([[1, ['RUN --mount=from=tools,target=/t x', 'ENV a=b']]]);
    expect(shape(graph(image, { triggers }))).toEqual(['0 a []', '1 b [0]']);
  });
});

describe('FROM and global ARGs', () => {
  it('expands names with defaults, build args and earlier ARGs', () => {
    const text = `ARG V=1\nARG NAME=img:$V REG\nFROM \${REG:-docker.io}/$NAME`;
    expect(shape(graph(text))).toEqual(['0 docker.io/img:1 []']);
    const buildArgs = { V: '2', REG: 'r.example' };
    expect(shape(graph(text, { buildArgs }))).toEqual(['0 r.example/img:2 []']);
    expect(shape(graph(text, { buildArgs: { V: '' } }))).toEqual(['0 docker.io/img: []']);
  });

  it('gives the stages what they may inherit', () => {
    const { globalArgs } = graph('ARG A=1 B C=$A-$TARGETARCH\nFROM x AS last', {
      buildArgs: { A: 'a', OTHER: 'o' },
      platform: arm,
      buildPlatform: amd64,
    });
    expect(globalArgs).toEqual({
      ...{ A: 'a', C: 'a-arm' },
      ...{
        BUILDPLATFORM: 'linux/amd64',
        BUILDOS: 'linux',
        BUILDOSVERSION: '',
        BUILDARCH: 'amd64',
        BUILDVARIANT: '',
      },
      ...{ TARGETPLATFORM: 'linux/arm/v7', TARGETOS: 'linux', TARGETOSVERSION: '', TARGETARCH: 'arm' },
      ...{ TARGETVARIANT: 'v7', TARGETSTAGE: 'last' },
    });
  });

  it('names the target stage: as asked, the last, or default; build args may override the platform', () => {
    const stageArg = (text: string, options?: Partial<GraphOptions>) =>
      graph(text, options).globalArgs.TARGETSTAGE;
    expect(stageArg('FROM a')).toBe('default');
    expect(stageArg('FROM a AS x\nFROM b AS y', { target: 'x' })).toBe('x');
    const { globalArgs } = graph('FROM a', { buildArgs: { TARGETARCH: 'mine' } });
    expect(globalArgs.TARGETARCH).toBe('mine');
  });

  it('takes platforms in any spelling', () => {
    const { globalArgs, stages } = graph('FROM a', {
      platform: { os: 'linux', architecture: 'aarch64', variant: 'v8' },
    });
    expect(globalArgs).toMatchObject({
      TARGETARCH: 'arm64',
      TARGETVARIANT: '',
      BUILDPLATFORM: 'linux/arm64',
    });
    expect(stages[0]!.platform).toEqual({ os: 'linux', architecture: 'arm64' });
  });

  it('knows the platform of each stage', () => {
    const text =
      'FROM --platform=$BUILDPLATFORM a AS build\nFROM build AS child\nFROM --platform=linux/aarch64 b AS other\nFROM c\nCOPY --from=child x y\nCOPY --from=other x y';
    const { stages } = graph(text, { platform: arm, buildPlatform: amd64 });
    const arm64 = { os: 'linux', architecture: 'arm64' };
    expect(stages.map(({ platform }) => platform)).toEqual([amd64, amd64, arm64, arm]);
  });

  it.each([
    ['FROM $X', 'base name ($X) should not be blank', 6],
    ['ARG X\nFROM --platform=$X a', 'empty platform value from expression $X', 17],
    ['FROM --platform=linux/ a', '"linux/" is not a platform', 17],
    ['FROM --platform=pdp11 a', '"pdp11" is not a platform', 17],
    [`ARG A="\${B:?set B}"\nFROM a`, 'B: set B', 7],
    [`FROM a:\${B^^}`, 'unsupported modifier', 6],
  ])('refuses %j', (text, message, startColumn) => {
    const error = failure(text);
    expect(error.message).toContain(message);
    expect(error).toMatchObject({ code: 'parse', location: { startColumn } });
  });
});
