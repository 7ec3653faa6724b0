import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { frameOf } from '../../../src/report/frame.ts';
import { addEvent, emptyPicture } from '../../../src/report/picture.ts';
import { plainReporter } from '../../../src/report/plain.ts';
import { openReporter } from '../../../src/report/reporter.ts';
import { ttyReporter } from '../../../src/report/tty.ts';
import { widthOf } from '../../../src/report/width.ts';
import { fakeScreen, recorded } from './screen.ts';

const stories = ['good', 'failing'];

function frameText(story: string, size: { columns: number; rows?: number; until?: number }): string {
  const picture = emptyPicture();
  const { until = Number.POSITIVE_INFINITY, ...rest } = size;
  const events = recorded(story).filter((event) => event.at <= until);
  for (const event of events) addEvent(picture, event);
  const now = Number.isFinite(until) ? until : events.at(-1)!.at;
  return frameOf(picture, { ...rest, title: 'Building', now })
    .map((line) => `${line.text}\n`)
    .join('');
}

describe('plain', () => {
  it.each(stories)('tells the story %s', async (story) => {
    const screen = fakeScreen();
    const reporter = plainReporter(screen);
    for (const event of recorded(story)) reporter.event(event);
    reporter.close();
    await expect(screen.text()).toMatchFileSnapshot(`../../../testdata/report/${story}.plain.txt`);
  });

  it('keeps a step log whole when the build is cut off', () => {
    const screen = fakeScreen();
    const reporter = plainReporter(screen);
    reporter.event({ type: 'step-start', at: 0, step: 'a', name: 'RUN x' });
    reporter.event({ type: 'step-log', at: 1, step: 'a', stream: 'stdout', text: 'half a li' });
    reporter.close();
    expect(screen.text()).toContain('half a li\n');
  });

  it('keeps the number of a step that starts again', () => {
    const screen = fakeScreen();
    const reporter = plainReporter(screen);
    for (const [step, outcome] of [
      ['a', 'cancelled'],
      ['a', 'done'],
      ['b', 'done'],
    ] as const) {
      reporter.event({ type: 'step-start', at: 0, step, name: `RUN ${step}` });
      reporter.event({ type: 'step-end', at: 0, step, outcome });
    }
    expect(screen.text().match(/^#\d+ RUN .$/gm)).toEqual(['#1 RUN a', '#1 RUN a', '#2 RUN b']);
  });

  it('counts a single step as one', () => {
    const screen = fakeScreen();
    plainReporter(screen).event({
      type: 'build-end',
      at: 0,
      outcome: 'failed',
      steps: 1,
      cached: 0,
      received: 0,
      sent: 0,
    });
    expect(screen.text()).toBe('FAILED after 0.0s (1 step)\n');
  });

  it('lets colours through, and nothing else that a terminal obeys', () => {
    const screen = fakeScreen({ colour: true });
    const reporter = plainReporter(screen);
    for (const event of recorded('good')) reporter.event(event);
    expect(screen.text()).toContain('\x1b[31mred\x1b[0m and hostile');
    expect(screen.text()).not.toMatch(/\x1b[^[]|\x1b\[[^m]*[A-LN-Za-ln-z]|\x07/);
  });
});

describe('the picture', () => {
  it.each(stories.flatMap((story) => [80, 40].map((columns) => [story, columns] as const)))(
    'of the story %s at %d columns',
    async (story, columns) => {
      const text = frameText(story, { columns });
      const frame = text.split('\n\n')[0]!;
      for (const line of frame.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(columns);
      await expect(text).toMatchFileSnapshot(`../../../testdata/report/${story}.${columns}.txt`);
    },
  );

  it.each([
    ['good', 80, 2500],
    ['good', 40, 2500],
    ['failing', 80, 900],
  ])('while it runs: %s at %d columns after %d ms', async (story, columns, until) => {
    const text = frameText(story, { columns, until, rows: 20 });
    await expect(text).toMatchFileSnapshot(`../../../testdata/report/${story}.${columns}.running.txt`);
  });

  it.each([3, 5, 8])('keeps to %d rows, running steps first', (rows) => {
    const text = frameText('good', { columns: 80, until: 2500, rows });
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(rows);
    if (rows >= 8) expect(text).toContain('RUN npm ci');
  });
});

describe('tty', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('paints at most ten times a second, over itself', () => {
    const screen = fakeScreen();
    const reporter = ttyReporter(screen);
    for (const event of recorded('failing').slice(0, 7)) reporter.event(event);
    expect(screen.text()).toBe('');
    vi.advanceTimersByTime(100);
    const first = screen.text();
    const lines = first.split('\n').length - 1;
    expect(first).not.toMatch(/\x1b\[\d+A/);
    vi.advanceTimersByTime(100);
    expect(screen.text().length).toBe(first.length);
    screen.at = 100;
    vi.advanceTimersByTime(100);
    expect(screen.text().slice(first.length)).toMatch(new RegExp(`^\\r\\x1b\\[${lines}A`));
    reporter.close();
    const all = screen.text().length;
    vi.advanceTimersByTime(1000);
    reporter.close();
    expect(screen.text().length).toBe(all);
  });

  it('counts the rows that a narrower terminal makes of the last frame', () => {
    const screen = fakeScreen({ columns: 80 });
    const reporter = ttyReporter(screen);
    for (const event of recorded('failing').slice(0, 4)) reporter.event(event);
    vi.advanceTimersByTime(100);
    const before = screen.text();
    const rows = before
      .split('\n')
      .slice(0, -1)
      .map((line) => Math.ceil(line.replaceAll('\x1b[K', '').length / 40));
    screen.columns = 40;
    screen.resized();
    const up = rows.reduce((sum, count) => sum + count, 0);
    expect(up).toBeGreaterThan(rows.length);
    expect(screen.text().slice(before.length)).toMatch(new RegExp(`^\\r\\x1b\\[${up}A`));
    reporter.close();
  });

  it('shows nothing of what a step would do to the terminal', () => {
    const screen = fakeScreen();
    const reporter = ttyReporter(screen);
    for (const event of recorded('good').slice(0, 12)) reporter.event(event);
    vi.advanceTimersByTime(100);
    reporter.close();
    expect(screen.text()).toContain('red and hostile');
    expect(screen.text()).not.toMatch(/\x1b\[2J|\x1b\[5A|\x1b\]|\x07|\x1b\[31m/);
  });

  it('colours only where colour is wanted', () => {
    for (const colour of [true, false]) {
      const screen = fakeScreen({ colour });
      const reporter = ttyReporter(screen);
      for (const event of recorded('failing')) reporter.event(event);
      reporter.close();
      expect(screen.text().includes('\x1b[31m')).toBe(colour);
    }
  });

  it('says nothing when nothing happened', () => {
    const screen = fakeScreen();
    ttyReporter(screen).close();
    expect(screen.text()).toBe('');
  });
});

describe('the others', () => {
  it('events are one per line', async () => {
    const screen = fakeScreen();
    const reporter = await openReporter('events', screen);
    const events = recorded('good');
    for (const event of events) reporter.event(event);
    expect(
      screen
        .text()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(events);
  });

  it('quiet is quiet', async () => {
    const screen = fakeScreen();
    const reporter = await openReporter('quiet', screen);
    for (const event of recorded('failing')) reporter.event(event);
    reporter.close();
    expect(screen.text()).toBe('');
  });
});
