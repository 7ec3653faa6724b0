import { describe, expect, it } from 'vitest';
import { breakpointsOf } from '../../../src/build/breakpoints.ts';
import { graphOf } from '../../../src/containerfile/graph.ts';
import { parse } from '../../../src/containerfile/parse.ts';
import type { BuildError } from '../../../src/core/errors.ts';

const file = [
  'FROM alpine AS Builder',
  'ENV A=1',
  '',
  'RUN one \\',
  '  two',
  'FROM builder AS empty',
  'FROM scratch AS unused',
  'RUN no',
  'FROM empty',
  'COPY --from=builder /x /x',
].join('\n');
const platform = { os: 'linux', architecture: 'amd64' };
const graph = graphOf(parse(file, 'Containerfile'), { buildArgs: {}, platform });

function failure(word: string): BuildError {
  try {
    breakpointsOf([word], [graph]);
  } catch (error) {
    return error as BuildError;
  }
  throw new Error('no failure');
}

describe('--break', () => {
  it.each([
    ['builder', 0, 2],
    ['BUILDER:2', 0, 2],
    ['0:4', 0, 4],
    ['builder:5', 0, 4],
    ['3', 3, 10],
  ])('%s', (word, stage, line) => {
    expect(breakpointsOf([word], [graph])).toEqual([{ stage, file: 'Containerfile', line }]);
  });

  it.each([
    ['bulder', '--break bulder: this build has no stage bulder', 'Did you mean builder?'],
    ['unused', '--break unused: this build has no stage unused', 'Its stages are builder, empty, 3.'],
    [
      'builder:3',
      '--break builder:3: no instruction of the stage stands in line 3',
      'The nearest is ENV in line 2.',
    ],
    [
      'builder:90',
      '--break builder:90: no instruction of the stage stands in line 90',
      'The nearest is RUN in line 4.',
    ],
    ['empty', '--break empty: the stage has no instruction to stop before', undefined],
    ['empty:6', '--break empty:6: no instruction of the stage stands in line 6', undefined],
    [':', '--break :: this build has no stage :', 'Its stages are builder, empty, 3.'],
  ])('refuses %s', (word, message, hint) => {
    expect(failure(word)).toMatchObject({ code: 'usage', message, hint });
  });
});
