import { isUrl, urlForCopy } from '../../src/containerfile/source-urls.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { Emit } from '../../src/core/events.ts';
import type { Layers, Scratch } from '../../src/core/store.ts';
import type { Snapshot } from '../../src/core/types.ts';
import type { Context } from '../context/context.ts';
import { cleanPath } from '../path-resolve.ts';

/** A COPY or ADD, its words expanded. */
export interface CopyInput {
  readonly kind: 'copy' | 'add';
  readonly sources: readonly string[];
  /** Files given in the Containerfile itself. */
  readonly heredocs: readonly { readonly name: string; readonly content: string }[];
  readonly destination: string;
  /** Absolute; what a relative destination starts from. */
  readonly workdir: string;
  readonly chown?: string;
  readonly chmod?: string;
  readonly link: boolean;
  /** Sources keep their directories, from the pivot `/./` on where there is one. */
  readonly parents?: boolean;
  /** Patterns of what is left out below each source. */
  readonly excludes?: readonly string[];
  /** A literal source that is missing is left out. */
  readonly optional?: boolean;
  /** ADD: whether archives are unpacked; by default local ones are and fetched ones are not. */
  readonly unpack?: boolean;
}

export type CopySource =
  /** `name` is for messages: `the build context` unless said. */
  | { readonly kind: 'context'; readonly context: Context; readonly name?: string }
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot };

export interface CopyTools {
  readonly store: { readonly layers: Layers; scratch(): Promise<Scratch> };
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}

/** Where the destination is, and whether it is said to be a directory. */
export function destinationOf(input: CopyInput): { readonly path: string; readonly isDirectory: boolean } {
  const { destination, workdir } = input;
  const isDirectory = destination === '' || /(^|\/)\.?$/.test(destination);
  return {
    path: cleanPath(destination.startsWith('/') ? destination : `${workdir}/${destination}`),
    isDirectory,
  };
}

/** Refuses an address that COPY was given, or that ADD has no way to fetch. */
export function checkInput(input: CopyInput): void {
  const { kind, sources } = input;
  const url = sources.find((source) => isUrl(source));
  if (url !== undefined && kind === 'copy') throw urlForCopy();
  if (url !== undefined) {
    throw new BuildError('context', `ADD cannot fetch "${url}"`, {
      about: url,
      hint: 'It takes http and https addresses, and git repositories (https://….git, ssh://, git://, git@host:path).',
    });
  }
}
