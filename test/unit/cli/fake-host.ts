import type { Host } from '../../../src/cli/host.ts';

export interface FakeHost extends Host {
  /** What was written, by descriptor. */
  readonly written: Record<number, string>;
}

/** A host without terminal, in the folder `cwd`. */
export function fakeHost(given: Partial<Host> = {}): FakeHost {
  const written: Record<number, string> = { 1: '', 2: '' };
  return {
    place: {
      isolation: 'root',
      uid: 0,
      gid: 0,
      home: '/home/someone',
      runtimeDir: undefined,
      outside: undefined,
      why: undefined,
      asked: undefined,
    },
    env: {},
    cwd: '/',
    signal: new AbortController().signal,
    interrupted: () => undefined,
    write: (fd, text) => {
      written[fd] = (written[fd] ?? '') + String(text);
      return true;
    },
    isTerminal: () => false,
    size: () => ({ columns: 80, rows: 24 }),
    onResize: () => () => {},
    now: () => 0,
    ...given,
    written,
  };
}
