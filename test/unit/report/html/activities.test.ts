import { expect, it } from 'vitest';
import { activities } from '../../../../src/report/html/activities.ts';
import { reportOf, step } from '../../../support/report-data.ts';

it('time that went into something counts once, however much of it went on at once', () => {
  const run = (startedAt: number, endedAt: number) => ({ what: 'run' as const, startedAt, endedAt });
  const { markup } = activities(
    reportOf({
      steps: [
        { ...step('0/1', 0, 400), spans: [run(0, 400)] },
        { ...step('1/1', 200, 600), spans: [run(200, 600), run(700, 800)] },
      ],
      spans: [{ what: 'push', startedAt: 900, endedAt: 1000 }],
    }),
  )!;
  const rows = [...markup.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row]) => row!.replace(/<[^>]*>/g, ' '));
  expect(rows.map((row) => row.trim().replace(/\s+/g, ' '))).toEqual([
    'running 0.7s 70 %',
    'pushing 0.1s 10 %',
  ]);
  expect(markup.match(/<rect x="[^"]*" width="[^"]*"\/>/g)).toEqual([
    ...['<rect x="0%" width="60%"/>', '<rect x="70%" width="10%"/>', '<rect x="90%" width="10%"/>'],
  ]);
});

it('nothing is said where no time is known', () => {
  expect(activities(reportOf())).toBeUndefined();
});
