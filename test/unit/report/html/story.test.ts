import { describe, expect, it } from 'vitest';
import type { BuildEvent } from '../../../../src/core/events.ts';
import { storyOf } from '../../../../src/report/html/story.ts';
import { buildStart, stage } from '../../../support/report-data.ts';

const start = (step: string, at: number, name = `[builder 2/4] RUN make`): BuildEvent => ({
  ...{ type: 'step-start', step, at, name },
});
const end = (step: string, at: number, outcome: 'done' | 'cached' | 'failed' = 'done'): BuildEvent => ({
  ...{ type: 'step-end', step, at, outcome },
});

describe('the story of a build', () => {
  it('tells place and text of a step, of which stage it is, when it ran and how it ended', () => {
    const { steps } = storyOf([
      buildStart(),
      { type: 'graph', at: 0, stages: [stage('linux/arm64/0')] },
      start('linux/arm64/0/2', 10, '[linux/arm64 builder 2/4] RUN a [b]\n  c'),
      { type: 'span', at: 40, startedAt: 12, what: 'run', step: 'linux/arm64/0/2' },
      end('linux/arm64/0/2', 50),
    ]);
    expect(steps).toEqual([
      {
        ...{ id: 'linux/arm64/0/2', stage: 'linux/arm64/0', place: 'linux/arm64 builder 2/4' },
        ...{ text: 'RUN a [b]\n  c', startedAt: 10, endedAt: 50, outcome: 'done' },
        spans: [{ what: 'run', startedAt: 12, endedAt: 40 }],
      },
    ]);
  });

  it('of a step that was begun again knows the second time alone', () => {
    const again = [start('0/2', 0), end('0/2', 5, 'cached'), start('0/2', 20)];
    expect(storyOf(again).steps).toMatchObject([{ startedAt: 20, endedAt: 20, outcome: 'interrupted' }]);
    const [step] = storyOf([...again, end('0/2', 90)]).steps;
    expect(step).toMatchObject({ startedAt: 20, endedAt: 90, outcome: 'done' });
  });

  it('of a build that was killed knows the steps that have no end, and how long it is known to have run', () => {
    const { build, steps } = storyOf([buildStart({ id: 'k' }), start('0/2', 5), start('1/2', 70)]);
    expect(build).toMatchObject({ id: 'k', outcome: 'interrupted', tookMs: 70 });
    expect(steps.map(({ outcome, endedAt }) => [outcome, endedAt])).toEqual([
      ['interrupted', 70],
      ['interrupted', 70],
    ]);
  });

  it('counts, and takes a transfer with its beginning and its end', () => {
    const moving = (at: number, done: number, state: 'running' | 'done'): BuildEvent => ({
      ...{ type: 'transfer', at, id: 'a', name: 'layer', done, state, way: 'in' },
    });
    const { build, transfers, warnings } = storyOf([
      buildStart(),
      ...[start('0/1', 0), end('0/1', 1, 'cached'), start('0/2', 1), end('0/2', 9)],
      ...[moving(2, 0, 'running'), moving(4, 50, 'running'), moving(6, 80, 'done')],
      { type: 'note', at: 7, level: 'info', text: 'said' },
      { type: 'note', at: 8, level: 'warning', text: 'warned' },
      { type: 'build-end', at: 10, outcome: 'done', steps: 2, cached: 1, received: 80, sent: 0 },
    ]);
    expect(build).toMatchObject({ outcome: 'done', steps: 2, cached: 1, received: 80, tookMs: 10 });
    expect(transfers).toEqual([
      { name: 'layer', way: 'in', startedAt: 2, endedAt: 6, bytes: 80, state: 'done' },
    ]);
    expect(warnings.map(({ text }) => text)).toEqual(['warned']);
  });
});
