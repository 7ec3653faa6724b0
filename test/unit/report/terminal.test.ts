import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BuildEvent } from '../../../src/core/events.ts';
import { frameOf } from '../../../src/report/frame.ts';
import { addEvent, emptyPicture } from '../../../src/report/picture.ts';
import { ttyReporter } from '../../../src/report/tty.ts';
import { newTerminal } from '../../support/screen-emulator.ts';
import { fakeScreen } from './screen.ts';

/** Numbers below `below`, the same for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const words = [
  'compiling',
  '三番目の行',
  'e\u0301te\u0301',
  '🚀 up',
  'a\tb',
  '10%\r 20%',
  '\x1b[31mred\x1b[0m',
  'x'.repeat(300),
];

/** A terminal with a live picture on it. */
function livePicture(size: { columns: number; rows: number }) {
  const terminal = newTerminal(size);
  const screen = fakeScreen({ ...size, colour: true });
  const written: string[] = [];
  const write = (text: string): void => {
    written.push(text);
    terminal.write(text);
  };
  const reporter = ttyReporter({
    ...screen,
    write,
    now: () => screen.at,
    size: () => terminal,
    onResize: screen.onResize,
  });
  const picture = emptyPicture();
  const event = (one: BuildEvent): void => {
    reporter.event(one);
    addEvent(picture, one);
  };
  const frame = (last: boolean): string[] => {
    const whole = { title: 'Building', columns: Math.max(20, terminal.columns - 1), now: screen.at };
    const lines = frameOf(picture, last ? whole : { ...whole, rows: Math.max(2, terminal.rows - 1) });
    return lines.map(({ text }) => text.trimEnd());
  };
  const shown = (lines: number): string[] =>
    terminal.lines(terminal.cursorLine() - lines, terminal.cursorLine());
  const tick = (): void => {
    screen.at += 100;
    vi.advanceTimersByTime(100);
  };
  const resize = (columns: number, rows: number): void => {
    terminal.resize(columns, rows);
    screen.resized();
  };
  return { terminal, screen, reporter, event, frame, shown, tick, resize, written };
}

function start(step: string, name: string, at = 0): BuildEvent {
  return { type: 'step-start', at, step, name };
}

function log(step: string, text: string, at = 0): BuildEvent {
  return { type: 'step-log', at, step, stream: 'stdout', text };
}

const ended = { steps: 0, cached: 0, received: 0, sent: 0 };

describe('a live picture on a terminal', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([1, 2, 3, 4])('is right after whatever happens, and whole at the end: seed %d', (seed) => {
    const below = random(seed);
    const live = livePicture({ columns: 40 + below(161), rows: 6 + below(50) });
    const running: string[] = [];
    for (let i = 0; i < 200; i++) {
      const at = live.screen.at;
      const step = `${below(12)}/${i}`;
      const choice = below(10);
      if (choice < 3 && running.length < 60) {
        running.push(step);
        live.event(start(step, `[stage ${i}/300] RUN ${words[below(words.length)]}`, at));
      } else if (choice < 7 && running.length > 0) {
        const lines = Array.from({ length: below(9) }, () => words[below(words.length)]).join('\n');
        live.event(log(running[below(running.length)]!, `${lines}${below(2) === 0 ? '\n' : ''}`, at));
      } else if (choice === 7 && running.length > 0) {
        const [step] = running.splice(below(running.length), 1) as [string];
        const outcome = (['done', 'cached', 'failed', 'cancelled'] as const)[below(4)]!;
        live.event({ type: 'step-end', at, step, outcome });
      } else if (choice === 8) {
        const state = below(2) === 0 ? 'running' : 'done';
        const id = String(below(20));
        live.event({ type: 'transfer', at, id, name: `pulling ${id}`, done: below(9e6), total: 9e6, state });
      } else live.resize(40 + below(161), 6 + below(50));
      live.tick();
      const frame = live.frame(false);
      expect(live.shown(frame.length)).toEqual(frame);
    }
    live.event({ type: 'build-end', at: live.screen.at, outcome: 'done', ...ended });
    live.reporter.close();
    const frame = live.frame(true);
    expect(live.shown(frame.length)).toEqual(frame);
  });

  it.each([40, 80, 200])('shows a line for each of 60 stages that fit %d columns', (columns) => {
    const live = livePicture({ columns, rows: 70 });
    for (let i = 0; i < 60; i++) live.event(start(`${i}/2`, `[stage-${i} 2/2] RUN make`));
    live.event(log('7/2', 'the last words\n'));
    live.tick();
    const shown = live.shown(live.frame(false).length);
    for (let i = 0; i < 60; i++)
      expect(shown.filter((line) => line.includes(`[stage-${i} 2/2]`))).toHaveLength(1);
    expect(shown.join('\n')).toContain('the last words');
    live.reporter.close();
  });

  it('says how many it has no room for, and puts the last words into the line where the log has none', () => {
    const live = livePicture({ columns: 80, rows: 24 });
    for (let i = 0; i < 60; i++) {
      live.event(start(`${i}/2`, `[stage-${i} 2/2] RUN make`));
      live.event(log(`${i}/2`, `words of ${i}\n`));
    }
    live.tick();
    const frame = live.frame(false);
    expect(frame).toHaveLength(23);
    expect(frame[1]).toMatch(/^ => \[stage-0 2\/2\] RUN make \| words of 0 +0\.1s$/);
    expect(frame.at(-1)).toBe(' => … and 39 more');
    live.reporter.close();
  });

  it('writes only the lines that changed', () => {
    const live = livePicture({ columns: 80, rows: 60 });
    for (let i = 0; i < 30; i++) {
      live.event(start(`${i}/1`, `[stage-${i} 1/1] RUN make`));
      if (i > 0) live.event({ type: 'step-end', at: 0, step: `${i}/1`, outcome: 'done' });
    }
    live.tick();
    const [painted, before] = [live.written.length, { ...live.terminal.sequences }];
    live.tick();
    // The header and the one step that runs say another time.
    expect(live.written.length).toBe(painted + 1);
    expect(live.written.at(-1)!.length).toBeLessThan(250);
    const grown = (final: string) => (live.terminal.sequences[final] ?? 0) - (before[final] ?? 0);
    expect([grown('A'), grown('K'), grown('J')]).toEqual([1, 2, 0]);
    live.reporter.close();
  });

  it('shows a cached build of 60 steps at once, in one piece, folded', () => {
    const live = livePicture({ columns: 80, rows: 24 });
    for (let i = 1; i <= 60; i++) {
      live.event(start(`0/${i}`, `[${i}/60] RUN step ${i}`));
      live.event({ type: 'step-end', at: 0, step: `0/${i}`, outcome: 'cached' });
    }
    live.event({ type: 'build-end', at: 40, outcome: 'done', ...ended, steps: 60, cached: 60 });
    live.reporter.close();
    expect(live.written).toHaveLength(1);
    expect(live.terminal.lines()).toEqual([
      '[+] Building 0.0s (60/60) FINISHED',
      ` => CACHED [1/60] … 60/60 (60 steps)${' '.repeat(39)}0.0s`,
      '',
    ]);
  });
});
