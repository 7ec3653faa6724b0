import type { SourceRange } from '../core/errors.ts';
import type { Warning } from '../core/events.ts';
import type { Platform } from '../core/types.ts';

export type { Warning };

/** A word of an instruction, exactly as written (quotes, escapes and variables included), and where it stands. */
export interface Word {
  readonly text: string;
  readonly range: SourceRange;
}

export interface Heredoc {
  /** The delimiter, without quotes: also the name of the file in COPY. */
  readonly name: string;
  readonly content: string;
  /** The content as it stands in the file, with the tabs that `<<-` strips. */
  readonly written: string;
  /** File descriptor written before `<<`, 0 unless said. */
  readonly fd: number;
  /** False when the delimiter was quoted: variables stay as written. */
  readonly expand: boolean;
  /** `<<-`: leading tabs were stripped. */
  readonly chomp: boolean;
  readonly range: SourceRange;
}

interface Base {
  /** The whole instruction with its continuation lines. */
  readonly range: SourceRange;
  /** One line as people read it, continuation lines joined: `RUN make all`. */
  readonly source: string;
  /** Comments directly above, without `#`. */
  readonly comments: readonly string[];
  /** Its name as it was written: `copy`, `COPY`. */
  readonly keyword: Word;
  /** Empty lines among its continuation lines. */
  readonly emptyLines: readonly SourceRange[];
}

/** What an instruction says, without what all instructions have. */
export type PartsOf<Kind> = Kind extends Base ? Omit<Kind, keyof Base> : never;

/** Shell form keeps its text whole; exec form is a list. */
export type CommandLine =
  | { readonly form: 'shell'; readonly text: string; readonly heredocs: readonly Heredoc[] }
  | { readonly form: 'exec'; readonly args: readonly string[] };

/** One `--mount=`, its values not yet expanded; `options` in the order written, keys lower-cased. */
export interface MountFlag {
  readonly options: readonly { readonly key: string; readonly value: string | undefined }[];
  readonly word: Word;
}

export interface FromInstruction extends Base {
  readonly kind: 'from';
  readonly image: Word;
  readonly name?: string;
  /** `AS` and the name behind it, as they were written. */
  readonly as?: Word;
  readonly alias?: Word;
  readonly platform?: Word;
  /** It could not be read whole: its error is told, and it only keeps its place. */
  readonly broken?: true;
  /** Extension `reset`: what of the base's configuration is not inherited. */
  readonly reset?: Word;
}
export interface ArgInstruction extends Base {
  readonly kind: 'arg';
  /** `range` is that of the name. */
  readonly args: readonly { readonly name: string; readonly range: SourceRange; readonly value?: Word }[];
}
export interface EnvInstruction extends Base {
  readonly kind: 'env' | 'label';
  readonly pairs: readonly { readonly name: Word; readonly value: Word }[];
  /** Written `name value`, without `=`. */
  readonly legacy: boolean;
}
export interface RunInstruction extends Base {
  readonly kind: 'run';
  readonly command: CommandLine;
  readonly mounts: readonly MountFlag[];
  readonly network?: 'default' | 'none' | 'host';
  readonly security?: 'sandbox' | 'insecure';
}
export interface CopyInstruction extends Base {
  readonly kind: 'copy' | 'add';
  readonly sources: readonly Word[];
  readonly heredocs: readonly Heredoc[];
  readonly destination: Word;
  readonly from?: Word;
  readonly chown?: Word;
  readonly chmod?: Word;
  readonly link: boolean;
  /** COPY: sources keep their directories, from the pivot `/./` on where there is one. */
  readonly parents: boolean;
  /** Patterns, as of an ignore file, of what is left out; relative to each source. */
  readonly excludes: readonly Word[];
  /** Extension `optional-copy`: a literal source that is missing is no error. */
  readonly optional: boolean;
  /** ADD: the digest that an http source must have, or the commit of a git source. */
  readonly checksum?: Word;
  /** ADD: whether `.git` stays in a git source. */
  readonly keepGitDir?: boolean;
  /** ADD: whether archives are unpacked; by default local ones are and remote ones are not. */
  readonly unpack?: boolean;
}
export interface CommandInstruction extends Base {
  readonly kind: 'cmd' | 'entrypoint';
  readonly command: CommandLine;
}
export interface WordsInstruction extends Base {
  /** `workdir`, `user` and `stopsignal` have one word; `expose` and `volume` one or more. */
  readonly kind: 'workdir' | 'user' | 'stopsignal' | 'expose' | 'volume';
  readonly words: readonly Word[];
}
export interface ShellInstruction extends Base {
  readonly kind: 'shell';
  readonly args: readonly string[];
}
export interface HealthcheckInstruction extends Base {
  readonly kind: 'healthcheck';
  /** Absent for NONE. Durations in nanoseconds; 0 means inherited. */
  readonly check?: {
    readonly command: CommandLine;
    readonly interval: number;
    readonly timeout: number;
    readonly startPeriod: number;
    readonly startInterval: number;
    readonly retries: number;
  };
}
export interface OnbuildInstruction extends Base {
  readonly kind: 'onbuild';
  /** The trigger's text, as it goes into the image. */
  readonly trigger: string;
}
export interface MaintainerInstruction extends Base {
  readonly kind: 'maintainer';
  readonly name: string;
}

export type Instruction =
  | ArgInstruction
  | EnvInstruction
  | RunInstruction
  | CopyInstruction
  | CommandInstruction
  | WordsInstruction
  | ShellInstruction
  | HealthcheckInstruction
  | OnbuildInstruction
  | MaintainerInstruction;

/** A stage as written: its FROM and what follows. */
export interface Stage {
  /** Position in the file, from 0. */
  readonly index: number;
  /** Lower-cased `AS` name. */
  readonly name?: string;
  readonly from: FromInstruction;
  readonly instructions: readonly Instruction[];
}

/** What a file may use beyond the language, once it is switched on (`# tsbuild: NAME`, `--enable NAME`). */
export type Extension = 'errexit-heredocs' | 'optional-copy' | 'include' | 'reset';

/** `# check=…` at the head of a file, or above an instruction (§12). */
export interface CheckSettings {
  /** Rules that are not applied, by name; `all` for every one. */
  readonly skip: readonly string[];
  /** A warning makes the build fail. */
  readonly error: boolean;
  /** Experimental rules that are applied; `all` for every one. */
  readonly experimental: readonly string[];
}

/** A file that INCLUDE names: its text, and how locations call it. */
export interface IncludedFile {
  readonly file: string;
  readonly text: string;
}

/**
 * Gives the file at `path`, as written, seen from the file that includes it. Fails with BuildError for one that is not
 * there or lies outside of the context.
 */
export type Include = (path: string, from: string) => IncludedFile;

/** A parsed file; beside errors it holds what could be made out. */
export interface Containerfile {
  readonly file: string;
  readonly text: string;
  readonly escape: '\\' | '`';
  /** Value of `# syntax=`. */
  readonly syntax?: string;
  /** Value of `# check=`. */
  readonly check?: CheckSettings;
  readonly extensions: ReadonlySet<Extension>;
  /** Texts that INCLUDE brought in, by the name that locations have. */
  readonly included: ReadonlyMap<string, string>;
  /** ARGs before the first FROM. */
  readonly globals: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
  readonly warnings: readonly Warning[];
}

/** What a stage starts from, its name expanded. */
export type StageBase =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'image'; readonly reference: string };

/** A stage that the target needs. */
export interface GraphStage {
  readonly stage: Stage;
  readonly base: StageBase;
  readonly platform: Platform;
  /** Indexes of the stages that must be built before (base, COPY --from, RUN --mount=from). */
  readonly needs: readonly number[];
}

/**
 * The stages a target needs, in file order; `COPY --from` and `--mount=from` values that name no stage are images.
 */
export interface StageGraph {
  readonly stages: readonly GraphStage[];
  /** The file that the stages are of. */
  readonly containerfile: Containerfile;
  /** Index (in the file) of the stage that is the result. */
  readonly target: number;
  /** What is built for, and on. */
  readonly platform: Platform;
  readonly buildPlatform: Platform;
  /** Values of global ARGs that a stage's `ARG name` inherits (predefined platform ARGs included). */
  readonly globalArgs: Readonly<Record<string, string>>;
  /** What only the graph shows: named contexts that nothing uses. */
  readonly warnings: readonly Warning[];
  /** The same graph with the stages that a base image's ONBUILD triggers, known only by now, copy from. */
  withTriggers(stage: number, triggers: readonly string[]): StageGraph;
}

/** Values that variables have while an instruction is expanded. */
export type Env = Readonly<Record<string, string | undefined>>;
