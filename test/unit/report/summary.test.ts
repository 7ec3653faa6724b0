import { describe, expect, it } from 'vitest';
import type { Activity, BuildEvent } from '../../../src/core/events.ts';
import { Summary } from '../../../src/report/summary.ts';

type End = Extract<BuildEvent, { type: 'build-end' }>;

function span(what: Activity, startedAt: number, at: number): BuildEvent {
  return { type: 'span', what, startedAt, at };
}

function layer(step: string, bytes: number, outcome: 'done' | 'cached' = 'done'): BuildEvent[] {
  return [
    { type: 'step-start', at: 0, step, name: `[${step}] RUN x` },
    { type: 'step-end', at: 1, step, outcome, bytes },
  ];
}

function summaryOf(events: readonly BuildEvent[], end: Partial<End> = {}): Summary {
  const summary = new Summary();
  for (const event of events) summary.add(event);
  const nothing = { steps: 0, cached: 0, received: 0, sent: 0 };
  summary.add({ type: 'build-end', at: 7400, outcome: 'done', ...nothing, ...end });
  return summary;
}

describe('the summary of a build', () => {
  it('tells where the time went: when at least one was at it, the longest first', () => {
    const spans = [
      span('run', 0, 1000),
      span('run', 500, 2000),
      span('run', 5000, 6000),
      span('commit', 0, 40),
    ];
    expect(summaryOf([...spans, span('wait', 100, 5100), span('push', 0, 200)]).lines()).toEqual([
      'time    waiting 5.0s, run 3.0s, push 0.2s',
    ]);
  });

  it('tells which layers were made, and names the largest', () => {
    const made = [...layer('a', 10), ...layer('b', 3e6), ...layer('c', 2e6), ...layer('d', 1e9, 'cached')];
    expect(summaryOf([...made, ...layer('e', 5000)]).lines()).toEqual([
      'layers  4 made, 5.01MB, the largest:',
      ' 3.00MB  [b] RUN x',
      ' 2.00MB  [c] RUN x',
      ' 5.00kB  [e] RUN x',
    ]);
    expect(summaryOf(layer('a', 10)).lines(12)).toEqual(['layers  1 made, 10B', '    10B  [a…']);
  });

  it('has nothing to say of a build that did nothing, or did not come to its end', () => {
    const events = [...layer('a', 10, 'cached'), span('wait', 0, 99)];
    expect(summaryOf(events).lines()).toEqual([]);
    expect(summaryOf(layer('a', 10), { outcome: 'failed' }).lines()).toEqual([]);
  });

  it.each<[Partial<End>, string]>([
    [
      { steps: 5, cached: 2, received: 63_100_000, sent: 1000 },
      'FINISHED 5 steps, 2 cached in 7.4s, received 63.1MB, sent 1.00kB',
    ],
    [{ steps: 1 }, 'FINISHED 1 step in 7.4s'],
    [{}, 'FINISHED in 7.4s'],
    [{ outcome: 'failed' }, 'FAILED after 7.4s'],
    [{ outcome: 'failed', steps: 3, cached: 1 }, 'FAILED after 7.4s (3 steps, 1 cached)'],
    [{ outcome: 'cancelled', steps: 1 }, 'CANCELED after 7.4s (1 step)'],
  ])('says how it ended: %j', (end, head) => {
    expect(summaryOf([], end).head()).toBe(head);
  });
});
