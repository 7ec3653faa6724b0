import { expect, it } from 'vitest';
import { timeline } from '../../../../src/report/html/timeline.ts';
import { reportOf, stage, step } from '../../../support/report-data.ts';

/** The bars of a lane: where they are, and which row. */
function barsOf(markup: string, lane: string): string[] {
  const [, inside = ''] = new RegExp(`aria-label="${lane}">([\\s\\S]*?)</svg></div>`).exec(markup) ?? [];
  return [...inside.matchAll(/class="(\w+)[^"]*" x="([^"]*)" y="([^"]*)" width="([^"]*)"/g)].map((bar) =>
    bar.slice(1).join(' '),
  );
}

it('bars stand where their time is, those that run at once below each other, and short ones can be seen', () => {
  const moving = (startedAt: number, endedAt: number) => ({
    ...{ name: 'layer', startedAt, endedAt, bytes: 5, state: 'done' as const },
  });
  const { markup } = timeline(
    reportOf({
      stages: [stage('0'), stage('1', ['0'])],
      steps: [step('0/1', 0, 500), step('1/1', 500, 1000)],
      transfers: [moving(0, 500), moving(250, 750), moving(600, 600), moving(1000, 1000)],
    }),
  );
  expect(barsOf(markup, 'stage0')).toEqual(['bar 0% 3 50%']);
  expect(barsOf(markup, 'stage1')).toEqual(['gap 0% 3 50%', 'bar 50% 3 50%']);
  expect(barsOf(markup, 'transfers')).toEqual([
    ...['bar 0% 3 50%', 'bar 25% 29 50%', 'bar 60% 3 0.4%', 'bar 99.6% 3 0.4%'],
  ]);
  expect(markup).toContain('waits for stage0');
});
