import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BuildEvent } from '../../../src/core/events.ts';
import { marksOf } from '../../../src/report/ci-marks.ts';
import { plainReporter } from '../../../src/report/plain.ts';
import { fakeScreen } from './screen.ts';

function start(step: string, at = 0): BuildEvent {
  return { type: 'step-start', at, step, name: `[${step}] RUN x` };
}

function log(step: string, text: string, at: number): BuildEvent {
  return { type: 'step-log', at, step, stream: 'stdout', text };
}

function end(step: string, at: number, outcome: 'done' | 'cached' | 'failed' = 'done'): BuildEvent {
  return { type: 'step-end', at, step, outcome };
}

/** What the events look like; `env` is that of a CI system. */
function told(events: readonly BuildEvent[], env: Record<string, string> = {}): string {
  const screen = fakeScreen({ marks: marksOf(env, () => 1_700_000_000_000) });
  const reporter = plainReporter(screen);
  for (const event of events) {
    screen.at = event.at;
    reporter.event(event);
  }
  reporter.close();
  return screen.text();
}

describe('plain, of steps side by side', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('lets one speak at a time, and says where it will go on', () => {
    const events = [
      ...[start('a'), start('b'), log('a', 'one\n', 10), log('b', 'uno\n', 20), log('a', 'two\n', 30)],
      ...[end('a', 40), end('b', 50)],
    ];
    expect(told(events)).toBe(
      [
        ...['#1 [a] RUN x', '#1 0.010 one', '#1 0.030 two', '#1 DONE 0.0s', ''],
        ...['#2 [b] RUN x', '#2 0.020 uno', '#2 DONE 0.0s', ''],
      ].join('\n'),
    );
  });

  it('keeps nobody waiting who has something to say for whoever was only named', () => {
    expect(told([start('a'), start('b'), log('b', 'uno\n', 20)])).toBe(
      '#1 [a] RUN x\n#1 ...\n\n#2 [b] RUN x\n#2 0.020 uno\n',
    );
  });

  it('interrupts whoever is as busy as another after ten seconds, and the busier one later', () => {
    const turnsOf = (busy: number): number => {
      const events = [start('a'), start('b')];
      for (let at = 100; at <= 60_000; at += 100) {
        events.push(log('a', 'word\n'.repeat(busy), at), log('b', 'word\n', at));
      }
      return told(events).match(/^#2 \[b\] RUN x$/gm)!.length;
    };
    expect(turnsOf(1)).toBeGreaterThan(2);
    expect(turnsOf(20)).toBeGreaterThan(2);
  });

  it('lets nobody wait for more than ten seconds, even where nothing happens', () => {
    const screen = fakeScreen();
    const reporter = plainReporter(screen);
    const chatty = Array.from({ length: 50 }, (_, i) => log('a', 'word\n', i));
    for (const event of [start('a'), start('b'), ...chatty, log('b', 'uno\n', 60)]) reporter.event(event);
    const tick = (seconds: number): void => {
      screen.at = seconds * 1000;
      vi.advanceTimersByTime(1000);
    };
    for (let seconds = 1; seconds <= 4; seconds++) tick(seconds);
    expect(screen.text()).not.toContain('uno');
    for (let seconds = 5; seconds <= 11; seconds++) tick(seconds);
    expect(screen.text()).toMatch(/#1 \.\.\.\n\n#2 \[b\] RUN x\n#2 0\.060 uno\n$/);
    reporter.close();
  });

  it('lets whoever has a lot to say not wait with it', () => {
    const lot = `${'word '.repeat(100)}\n`.repeat(3000);
    expect(
      told([start('a'), log('a', 'one\n', 1), start('b'), log('b', lot, 2), log('a', 'two\n', 3)]),
    ).toMatch(
      /^#1 \[a\] RUN x\n#1 0\.001 one\n#1 \.\.\.\n\n#2 \[b\] RUN x\n#2 0\.002 word[\s\S]*#1 0\.003 two\n$/,
    );
  });

  it('says all that waits when the build ends', () => {
    const events = [start('a'), log('a', 'one\n', 1), start('b'), log('b', 'uno', 2)];
    const steps = { steps: 0, cached: 0, received: 0, sent: 0 };
    const text = told([...events, { type: 'build-end', at: 3, outcome: 'cancelled', ...steps }]);
    expect(text).toMatch(/#2 0\.003 uno\n\nCANCELED after 0\.0s\n$/);
  });

  it('warns within the step that a warning is about, and interrupts nobody for news', () => {
    const note = { type: 'note', at: 1, text: 'odd', hint: 'Mend it.' } as const;
    const events = [
      start('a'),
      { ...note, level: 'warning', step: 'a' } as const,
      { type: 'note', at: 2, level: 'info', text: 'news' } as const,
      log('a', 'one\n', 3),
    ];
    expect(told(events)).toBe('#1 [a] RUN x\n#1 WARN: odd\n#1   Mend it.\nnews\n#1 0.003 one\n');
  });
});

describe('plain, in a log of', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const story = [
    ...[start('a'), end('a', 5, 'cached'), start('b', 10), log('b', 'one\n', 20), start('c', 25)],
    ...[log('c', 'eins\n', 26), end('b', 30), end('c', 40, 'failed')],
  ];

  it('GitHub Actions is folded by step; how a step ended is outside', () => {
    expect(told(story, { GITHUB_ACTIONS: 'true' })).toBe(
      [
        ...['#1 [a] RUN x', '#1 CACHED', ''],
        ...['::group::#2 [b] RUN x', '#2 0.010 one', '::endgroup::', '#2 DONE 0.0s', ''],
        ...['::group::#3 [c] RUN x', '#3 0.001 eins', '::endgroup::', '#3 ERROR', ''],
      ].join('\n'),
    );
  });

  it('GitLab is folded by sections, each with a name of its own', () => {
    const text = told(story, { GITLAB_CI: 'true' });
    const starts = [
      ...text.matchAll(/\x1b\[0Ksection_start:1700000000:(\w+)\[collapsed=true\]\r\x1b\[0K(#\d.*)\n/g),
    ];
    const ends = [...text.matchAll(/\x1b\[0Ksection_end:1700000000:(\w+)\r\x1b\[0K\n/g)];
    expect(starts.map(([, name, title]) => [name, title])).toEqual([
      ['step_2_1', '#2 [b] RUN x'],
      ['step_3_2', '#3 [c] RUN x'],
    ]);
    expect(ends.map(([, name]) => name)).toEqual(['step_2_1', 'step_3_2']);
  });

  it('GitHub Actions obeys no step, whatever it says', () => {
    const hostile = [
      ...['::error::x', '  ::set-env name=A::b', '##[add-mask]x', 'a##[error]b', '###[group]c'],
      ...['\x1b[31m::error::x', '\r::error::x', 'x\r::stop-commands::y', '\x1b]0;t\x07::error::z'],
    ];
    const events = [
      { type: 'step-start', at: 0, step: 'a', name: '::error::\n::error:: ##[error]' } as const,
      ...hostile.map((text) => log('a', `${text}\n`, 1)),
      { type: 'note', at: 2, level: 'info', text: 'a\n::error::b\n##[error]c' } as const,
      { type: 'step-end', at: 3, step: 'a', outcome: 'failed', error: 'x\n::error::y ##[z]' } as const,
    ];
    const lines = told(events, { GITHUB_ACTIONS: 'true' }).split('\n');
    expect(lines.filter((line) => /^\s*::|##\[/.test(line))).toEqual([
      '::group::#1 : :error:: ::error:: # #[error]',
      '::endgroup::',
    ]);
  });
});
