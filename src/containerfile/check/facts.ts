import type { MountRequest } from '../mount-request.ts';
import type { ArgInstruction, Instruction, Word } from '../types.ts';
import type { Findings } from './findings.ts';
import type { Reading, Scope } from './scope.ts';

/** What a check knows of a stage between two instructions; changed in place as they are read. */
export interface StageFacts {
  readonly scope: Scope;
  /** Set by SHELL, in the stage or its base. */
  shell: readonly string[] | undefined;
  /** A WORKDIR stands above, in the stage or a stage it starts from. */
  workdirSet: boolean;
  /** The last CMD, ENTRYPOINT and HEALTHCHECK of this very stage. */
  readonly last: Map<Instruction['kind'], Instruction>;
  /** ARGs with their values, and mounts, in the order of the stage: what an outline tells. */
  readonly args: DeclaredArg[];
  readonly mounts: UsedMount[];
  /** Its ONBUILD triggers. */
  readonly triggers: string[];
}

export interface DeclaredArg {
  readonly name: string;
  readonly value?: string;
  readonly instruction: ArgInstruction;
}

export interface UsedMount {
  readonly request: MountRequest;
  readonly word: Word;
}

/** Everything that stays the same while a file is read. */
export interface CheckScope {
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly globalArgs: Readonly<Record<string, string>>;
  readonly escape: '\\' | '`';
  readonly findings: Findings;
  /** Whether heredocs stop at the first failing command anyway. */
  readonly errexit: boolean;
  /** The ignore file of a context that has one. */
  readonly ignore?: IgnoreFacts;
  /** Fails with BuildError for what `--chmod` does not take. */
  readonly checkMode: (text: string) => void;
}

/** What an ignore file says of paths. */
export interface IgnoreFacts {
  matches(path: string): boolean;
  /** A `!` pattern may bring back something at or below a path; an empty one is the root. */
  couldReinclude(path: string): boolean;
  /** A pattern ignores everything. */
  readonly everything: boolean;
}

/** One instruction on its way through a check. */
export interface Step {
  readonly reading: Reading;
  readonly facts: StageFacts;
  readonly check: CheckScope;
}
