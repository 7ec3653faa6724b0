import type { BuildEvent } from '../core/events.ts';
import type { Marks } from './ci-marks.ts';

/** Shows a build while it happens. Neither call throws or waits. */
export interface Reporter {
  event(event: BuildEvent): void;
  /** Leaves the terminal to somebody else until what it gives is called; absent where nothing is shown between events. */
  rest?(): () => void;
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
  /** When that was, in milliseconds since 1970. */
  readonly epochMs: number;
  /** What the CI system understands that reads along, where one does. */
  readonly marks?: Marks | undefined;
  /** The text of a file that a location names, or undefined where it cannot be had. */
  read(file: string): string | undefined;
}
