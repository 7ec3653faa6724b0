import { describe, expect, it } from 'vitest';
import { renderChange, renderExplanations } from '../../../src/report/explain.ts';

const loop = 'for n in 1 2 3 4 5 6 7 8; do echo "compiling unit $n of the library"; done';

describe('a change of a long value', () => {
  const told = (before: string, after: string) =>
    renderChange({ what: 'command', name: '', how: 'changed', before, after });

  it('is shown where the two differ', () => {
    expect(told(`${loop}; test -d a`, `${loop}; test -e a && make`)).toBe(
      'command: …y"; done; test -d a → …y"; done; test -e a && make',
    );
  });

  it('is cut behind that place, and shown from the beginning where that comes first', () => {
    expect(told(`a${loop}`, `b${loop}`)).toBe(`command: a${loop.slice(0, 58)}… → b${loop.slice(0, 58)}…`);
    expect(told(loop, loop.replace('of', 'in'))).toMatch(/^command: ….*unit \$n of.* → ….*unit \$n in/);
  });

  it('is whole where both are short', () => {
    expect(told('make all', 'make test')).toBe('command: make all → make test');
  });
});

it('the name of a step is cut to a terminal', () => {
  const explanation = { reason: 'new', changes: [], advice: [] } as const;
  const text = renderExplanations([{ name: `[2/2] RUN ${loop}`, explanation }], 0, 30);
  expect(text).toBe('Why 1 step ran:\n\n[2/2] RUN for n in 1 2 3 4 5 …\n  never built before\n');
});
