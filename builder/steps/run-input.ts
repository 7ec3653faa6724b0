import type { SourceRange } from '../../src/core/errors.ts';
import type { Network } from '../../src/core/options.ts';
import type { Platform } from '../../src/core/types.ts';
import type { Recording } from '../sandbox/ownership/recording.ts';
import type { RunCommand } from './run-command.ts';
import type { RunMount } from './run-mounts.ts';

/** A RUN with everything expanded: what the step can see. */
export interface RunInput {
  readonly command: RunCommand;
  /** ENV and ARG values, in order. */
  readonly env: ReadonlyMap<string, string>;
  /** Values that the process sees and the key does not: proxies. */
  readonly hiddenEnv: ReadonlyMap<string, string>;
  readonly workdir: string;
  readonly user: string;
  readonly network: Network;
  readonly insecure: boolean;
  readonly mounts: readonly RunMount[];
  readonly platform: Platform;
  /** What the programs of the image are made for, whatever platform was asked for. */
  readonly machine: Platform;
  /** The step's name in events and logs. */
  readonly step: string;
  /** The step as people read it, and where it stands. */
  readonly shown: { readonly name: string; readonly location: SourceRange };
  /** What runs the shell form. */
  readonly shell: readonly string[];
  readonly hostname: string;
  /** What of owners a layer would carry that is made here. */
  readonly recording: Recording;
  /** Cache mounts are emptied when the build first holds them (`--no-cache`). */
  readonly freshMounts: boolean;
}
