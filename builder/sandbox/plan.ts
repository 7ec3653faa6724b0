import type { Rights } from '../../src/core/options.ts';
import type { InodeOwner, Owner, PathOwner } from '../../src/core/owner.ts';

/**
 * A sandbox as plain data: where one process runs, the tree it runs in, what it runs. One interpreter per engine
 * applies it, in order.
 */

/** Overlay directories, topmost lower first; all are absolute. Without `upper` it is read-only. */
export interface Overlay {
  readonly lower: readonly string[];
  readonly upper?: string;
  readonly work?: string;
}

/** The tree a process runs in: an overlay, or a folder of its own that it changes in place. */
export type Root = Overlay | { readonly folder: string };

export type Mount =
  /** A file or directory of the host. `source` was resolved by us and holds no link that a step could have made. */
  | {
      readonly kind: 'bind';
      readonly source: string;
      readonly target: string;
      readonly readonly: boolean;
      /** Nobody else uses it meanwhile: where nothing can be mounted it may be moved into the root, and back. */
      readonly movable?: true;
    }
  /** A path inside another root filesystem (`--mount=type=bind,from=`): the overlay is mounted aside first. */
  | {
      readonly kind: 'tree';
      readonly tree: Overlay;
      readonly path: string;
      readonly target: string;
      readonly readonly: boolean;
    }
  /** A read-only file that exists in memory only, while the process runs: a secret, a script. */
  | {
      readonly kind: 'file';
      readonly content: Buffer;
      readonly target: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly sizeBytes?: number; readonly mode?: number };

export interface SandboxProcess {
  readonly args: readonly string[];
  /** `NAME=value`, nothing is inherited. */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** A terminal of its own, of this size at first, that is ours in turn (`tsbuild run -t`). */
  readonly terminal: false | TerminalSize;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export interface SandboxPlan {
  readonly root: Root;
  readonly mounts: readonly Mount[];
  readonly process: SandboxProcess;
  readonly hostname: string;
  readonly network: 'host' | 'none' | 'private';
  /** With `private`: the file of the network namespace that all steps of the build share. */
  readonly networkNamespace?: string;
  /** Name servers that stand in resolv.conf instead of the machine's. */
  readonly dns?: readonly string[];
  /** Domains, and options of the resolver, in resolv.conf instead of the machine's. */
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /** Extra lines of /etc/hosts: `ip name`. */
  readonly hosts: readonly string[];
  /** `--security=insecure`: all capabilities that we hold ourselves, no filter. */
  readonly insecure: boolean;
  /** What it may do, where that is neither the usual nor `insecure`. */
  readonly rights?: Rights;
  /** `name=soft[:hard]`. */
  readonly ulimits: readonly string[];
  readonly shmSizeBytes?: number;
  /** Control groups made for this process, as absolute folders: it enters all of them before anything else. */
  readonly cgroups?: readonly string[];
  /**
   * Where only one id exists (rung `single`) the calls that cannot work are answered by a supervisor and `recorded`, or by
   * the filter itself (`feigned`). `real` otherwise.
   */
  readonly ids?: 'real' | 'recorded' | 'feigned';
  /** With `recorded`: owners of files of the layers that the files do not carry themselves, by absolute path. */
  readonly owners?: readonly PathOwner[];
  /** With `recorded`: what was recorded of an earlier process in the same root (`Exit.journal`). */
  readonly journal?: readonly InodeOwner[];
}

/** Where a process's output goes, as it comes, and what it may read. */
export interface SandboxIo {
  readonly stdout: (chunk: Buffer) => void;
  readonly stderr: (chunk: Buffer) => void;
  /**
   * `ours`: it reads our stdin. `terminal`: our stdin and stdout are the terminal through which it is shown; `stderr`
   * is then what the runtime says about itself.
   */
  readonly stdin: 'empty' | 'ours' | 'terminal';
  /** With `terminal`: our descriptor that shows it; stdout where it is absent. */
  readonly screen?: 1 | 2;
  /** Called once the process begins. What a terminal sends to its foreground group does then reach it only by `send`. */
  readonly started?: (control: ProcessControl) => void;
}

/** How a running process is told what happens around it. */
export interface ProcessControl {
  /**
   * Sends a signal; false where the process would take no notice: the kernel spares the first process of a namespace
   * what it does not handle.
   */
  send(signal: NodeJS.Signals): boolean;
  /** Its terminal has another size now. */
  resize(size: TerminalSize): void;
}

export interface Exit {
  /** Exit code, or 128 + signal number. */
  readonly code: number;
  /** Paths inside the root that did not exist before and were made only to mount something on them. */
  readonly residue: readonly string[];
  /** Paths inside a root that is a folder, of which the time of change tells nothing: the engine itself has touched them. */
  readonly touched?: readonly string[];
  /** Owners that the process gave to files which cannot carry them, where they are recorded (`plan.ids`). */
  readonly journal?: readonly InodeOwner[];
  /** Whom the files belong to that the process made, where that was not recorded file by file. */
  readonly made?: Pick<Owner, 'uid' | 'gid'>;
}

/** What a process wants that not every engine can give. */
export interface WantedBounds extends Pick<SandboxPlan, 'network' | 'insecure' | 'rights'> {
  readonly terminal: boolean;
}

/** Runs plans. All engines pass one conformance suite. */
export interface Engine {
  readonly name: string;
  /** It can mount nothing: roots have to be folders, and what is to be mounted is moved into them while the process runs. */
  readonly moves?: true;
  /** Refuses with `sandbox` what it cannot give. */
  readonly check?: (wanted: WantedBounds) => void;
  /**
   * Runs the plan's process to its end. Everything it started is gone when this returns; an aborted signal kills it
   * and rejects with the signal's reason. `scratch` is a private folder for this run.
   */
  run(plan: SandboxPlan, io: SandboxIo, scratch: string, signal: AbortSignal): Promise<Exit>;
}
