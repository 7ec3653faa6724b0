import type { Instruction } from '../../src/containerfile/types.ts';
import type { SourceRange } from '../../src/core/errors.ts';
import type { TerminalSize } from '../sandbox/plan.ts';

/** A place at which a build stops, for somebody to look around. */
export interface Stop {
  /** The step as people read it: `[builder 2/4] RUN make`. */
  readonly name: string;
  readonly location: SourceRange;
  /** Where the build stops for the failure of the step, and not before it. */
  readonly failure?: { readonly exitCode: number; readonly message: string };
  readonly user: string;
  readonly workdir: string;
}

/**
 * What becomes of the step: `retry` runs it again on what is below it; `continue` goes on, after a failure with the files as they are;
 * `quit` ends the build.
 */
export type Answer = 'retry' | 'continue' | 'quit';

/** Our terminal, as a shell is shown on it. */
export interface ShellTerminal {
  /** Its kind, as TERM names it. */
  readonly kind: string;
  readonly size: TerminalSize;
  /** Gives what ends it. */
  onResize(listener: (size: TerminalSize) => void): () => void;
  write(chunk: Buffer): void;
}

/** Opens a shell in the step's sandbox; gives the code with which it ended. */
export type OpenShell = (terminal: ShellTerminal) => Promise<number>;

/** Where a build may stop before an instruction. */
export interface BreakPlace {
  /** Index of the stage. */
  readonly stage: number;
  readonly instruction: Instruction;
  /** What the graph builds for: each has its stops. */
  readonly platform: string;
}

/** Who is asked where a build stops: one stop at a time, the others wait. */
export interface Debugger {
  /** A step that fails is stopped at. */
  readonly atFailures: boolean;
  /** Whether the build stops somewhere in the stage of this index: its layers will be wanted. */
  breaksIn(stage: number): boolean;
  /** Whether the build stops here, where it has not been yet. */
  breaksBefore(place: BreakPlace): boolean;
  /** The build has been stopped here, and goes on. */
  pass(place: BreakPlace): void;
  stop(stop: Stop, open: OpenShell): Promise<Answer>;
  /** Resolves once nobody is at a stop: what fails meanwhile takes no shell away from anybody. */
  idle(): Promise<void>;
}

/** Codes by which a shell ends that say what is to be done next. */
export const answerCodes: Readonly<Record<Answer, number>> = { retry: 201, continue: 202, quit: 203 };
