import { readFileSync } from 'node:fs';
import type { BuildEvent } from '../../../src/core/events.ts';
import type { Marks } from '../../../src/report/ci-marks.ts';
import type { Screen } from '../../../src/report/screen.ts';

export interface FakeScreen extends Screen {
  readonly text: () => string;
  at: number;
  columns: number;
  rows: number;
  resized: () => void;
}

/** A screen that keeps what was written; its clock stands still until it is moved. */
export function fakeScreen(
  given: { columns?: number; rows?: number; colour?: boolean; marks?: Marks | undefined } = {},
): FakeScreen {
  let text = '';
  const screen: FakeScreen = {
    write: (piece) => {
      text += piece;
    },
    size: () => ({ columns: screen.columns, rows: screen.rows }),
    onResize: (listener) => {
      screen.resized = listener;
      return () => {
        screen.resized = () => {};
      };
    },
    colour: given.colour ?? false,
    title: 'Building',
    now: () => screen.at,
    epochMs: 0,
    marks: given.marks,
    read: () => undefined,
    text: () => text,
    at: 0,
    columns: given.columns ?? 80,
    rows: given.rows ?? 24,
    resized: () => {},
  };
  return screen;
}

export function recorded(name: string): BuildEvent[] {
  return JSON.parse(readFileSync(`testdata/report/${name}.events.json`, 'utf8')) as BuildEvent[];
}
