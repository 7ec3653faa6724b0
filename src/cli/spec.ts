import type { Command } from 'commander';
import type { Host } from './host.ts';

/** A command of the command line: its words, and what it does with them. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  /** Everything after the first argument belongs to that argument (`run`). */
  readonly passThrough?: boolean;
  /** Flags that stand for others: the arguments to take instead. */
  readonly rewrites?: Readonly<Record<string, Rewrite>>;
  readonly define: (command: Command) => Command;
  /** Returns the exit code. */
  readonly run: (command: Command, host: Host) => Promise<number>;
}

/** A flag that stands for others. */
export interface Rewrite {
  readonly takes: 'value' | 'boolean';
  readonly to: (value: string) => readonly string[];
}
