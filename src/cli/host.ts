import type { Place } from '../core/place.ts';

/** The process as the command line sees it; a test makes its own. */
export interface Host {
  readonly place: Place;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** 130 or 143 once a signal asked us to stop. */
  readonly interrupted: () => number | undefined;
  /** Writes to a descriptor: 1 for the result, 2 for the story. A reader that went away is no error: false then. */
  readonly write: (fd: number, text: string | Buffer) => boolean;
  readonly isTerminal: (fd: number) => boolean;
  /** Columns and rows of the terminal at descriptor 2. */
  readonly size: () => { readonly columns: number; readonly rows: number };
  readonly onResize: (listener: () => void) => () => void;
  /** Keeps the compiled program for the next start; called where most of it has run. */
  readonly keepCode?: () => void;
  /** Milliseconds since the process began. */
  readonly now: () => number;
}
