import { describe, expect, it } from 'vitest';
import { counterparts } from '../../../../builder/explain/counterparts.ts';

const before = ['COPY . .', 'RUN a', 'RUN b', 'COPY c .'];

describe('counterparts', () => {
  it.each([
    ['nothing changed', before, [0, 1, 2, 3]],
    ['a line is new', ['COPY . .', 'RUN new', 'RUN a', 'RUN b', 'COPY c .'], [0, undefined, 1, 2, 3]],
    ['a line is gone', ['COPY . .', 'RUN b', 'COPY c .'], [0, 2, 3]],
    ['a line was edited', ['COPY . .', 'RUN a2', 'RUN b', 'COPY c .'], [0, 1, 2, 3]],
    [
      'two lines were edited and one is new',
      ['COPY . .', 'RUN x', 'RUN y', 'RUN z', 'COPY c .'],
      [0, 1, 2, undefined, 3],
    ],
    [
      'another instruction took the place',
      ['COPY . .', 'WORKDIR /x', 'RUN b', 'COPY c .'],
      [0, undefined, 2, 3],
    ],
    ['lines changed places', ['COPY . .', 'RUN b', 'RUN a', 'COPY c .'], [0, 2, undefined, 3]],
    ['everything is new', ['ADD x /'], [undefined]],
    ['there is more at the end', [...before, 'RUN a'], [0, 1, 2, 3, undefined]],
  ])('are found where %s', (_, now, expected) => {
    expect(counterparts(before, now)).toEqual(expected);
  });

  it('are none where there was nothing', () => {
    expect(counterparts([], ['RUN a'])).toEqual([undefined]);
  });
});
