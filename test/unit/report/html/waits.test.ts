import { describe, expect, it } from 'vitest';
import { longestChain, waitsOf } from '../../../../src/report/html/waits.ts';
import { stage, step } from '../../../support/report-data.ts';

/** 0 and 1 run together; 2 begins on 0 and copies from 1; 3 begins on 2. */
const stages = [stage('0'), stage('1'), stage('2', ['0', '1'], 'stage0'), stage('3', ['2'], 'stage2')];
const steps = [
  ...[step('0/1', 0, 100), step('1/1', 0, 10), step('1/2', 10, 500)],
  ...[step('2/2', 100, 150), step('2/3', 501, 600), step('3/2', 600, 700)],
];

describe('waits', () => {
  it('are the gaps of a stage, each with the stage that ended in it', () => {
    const found = waitsOf({ stages, steps });
    expect(found.map(({ step, on, startedAt, endedAt }) => [step, on?.id, startedAt, endedAt])).toEqual([
      ['2/2', '0', 0, 100],
      ['2/3', '1', 150, 501],
      ['3/2', '2', 0, 600],
    ]);
  });

  it('are for nothing that is known where no stage ended in them', () => {
    const late = [step('0/1', 50, 60), step('0/2', 90, 100)];
    expect(waitsOf({ stages: [stage('0')], steps: late })).toEqual([
      { startedAt: 60, endedAt: 90, step: '0/2' },
    ]);
  });
});

describe('the longest chain', () => {
  it('goes back over what each step waited for', () => {
    expect(longestChain({ stages, steps }).map(({ id }) => id)).toEqual(['1/1', '1/2', '2/3', '3/2']);
  });

  it('is nothing without steps, and ends where stages need each other', () => {
    expect(longestChain({ stages: [], steps: [] })).toEqual([]);
    const circle = [stage('0', ['1']), stage('1', ['0'])];
    const two = [step('0/1', 0, 5), step('1/1', 5, 9)];
    expect(longestChain({ stages: circle, steps: two }).map(({ id }) => id)).toEqual(['0/1', '1/1']);
  });
});
