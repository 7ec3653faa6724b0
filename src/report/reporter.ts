import type { BuildEvent, Emit } from '../core/events.ts';

export type ProgressMode = 'tty' | 'plain' | 'rawjson' | 'quiet';

/** Shows a build while it happens. Neither call throws or waits. */
export interface Reporter {
  event(event: BuildEvent): void;
  /** Shows the last state and leaves the terminal as it was; harmless when repeated. */
  close(): void;
}

/** Where a reporter writes. */
export interface Screen {
  write(text: string): void;
  /** Columns and rows of the terminal; 80 by 24 where there is none. */
  size(): { readonly columns: number; readonly rows: number };
  /** Calls back when the size changed; the result stops that. */
  onResize(listener: () => void): () => void;
  readonly colour: boolean;
  /** What the live picture calls the work: `Building`. */
  readonly title: string;
  /** Milliseconds since the build began. */
  now(): number;
}

/** `auto` is `tty` on a terminal that can move its cursor, else `plain`. */
export function chooseMode(
  asked: string,
  terminal: { readonly isTerminal: boolean; readonly term: string | undefined },
): ProgressMode {
  if (asked === 'plain' || asked === 'rawjson' || asked === 'quiet') return asked;
  const able = terminal.isTerminal && terminal.term !== 'dumb' && terminal.term !== undefined;
  return able ? 'tty' : 'plain';
}

/** The reporter of a mode; its code is loaded only then. */
export async function openReporter(mode: ProgressMode, screen: Screen): Promise<Reporter> {
  if (mode === 'quiet') return { event: () => {}, close: () => {} };
  if (mode === 'rawjson') return rawJson(screen);
  if (mode === 'tty') return (await import('./tty.ts')).ttyReporter(screen);
  return (await import('./plain.ts')).plainReporter(screen);
}

/** Adds the time to each event on its way to a reporter. */
export function emitTo(reporter: Reporter, now: () => number): Emit {
  return (body) => reporter.event({ ...body, at: Math.round(now()) } as BuildEvent);
}

/** One event per line, exactly as it happened. */
function rawJson(screen: Screen): Reporter {
  return { event: (event) => screen.write(`${JSON.stringify(event)}\n`), close: () => {} };
}
