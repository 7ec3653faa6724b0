import type { MountRequest } from '../../src/containerfile/mount-request.ts';
import type { Framed } from '../../src/core/digest.ts';
import type { Volume } from '../../src/core/options.ts';
import type { Snapshot } from '../../src/core/types.ts';
import type { Selection } from './copy.ts';

/** Where a bind mount, or a new cache mount, gets its files from. */
export interface MountSource {
  /** What is read, as COPY would select it to `/source`; nothing where all is known to lie in `snapshot`. */
  readonly reads?: Selection;
  /** A stage or image whose own trees are mounted; without it the files are laid out anew (a context). */
  readonly snapshot?: Pick<Snapshot, 'layers'>;
  readonly path: string;
  /** What `from=` names; absent for the build context. */
  readonly from?: string;
}

type Requested<Type extends MountRequest['type']> = Extract<MountRequest, { type: Type }>;

/** One `--mount` with its values expanded and its target absolute, or a volume of the command line. */
export type RunMount =
  | (Volume & { readonly type: 'volume' })
  | {
      readonly type: 'bind';
      readonly target: string;
      readonly writable: boolean;
      readonly source: MountSource;
    }
  | (Omit<Requested<'cache'>, 'from' | 'source'> & { readonly source?: MountSource })
  | Requested<'tmpfs'>
  | Requested<'secret'>
  | (Requested<'ssh'> & { readonly target: string });

export type MountOf<Type extends RunMount['type']> = Extract<RunMount, { type: Type }>;

/** What of a mount the step's key holds: never a secret's value nor what a cache mount or a volume contains. */
export function keyOfMount(mount: RunMount): Framed {
  switch (mount.type) {
    case 'bind':
      return [mount.type, mount.target, mount.writable];
    case 'cache':
      return [mount.type, mount.target, mount.readonly];
    case 'volume':
      return [mount.type, mount.target, mount.source, mount.mode];
    case 'tmpfs':
      return [mount.type, mount.target, mount.sizeBytes];
    case 'secret':
      return [mount.type, mount.id, mount.target, mount.env, mount.mode, mount.uid, mount.gid];
    case 'ssh':
      return [mount.type, mount.id, mount.target, mount.mode, mount.uid, mount.gid];
  }
}

/** The files that a mount is made of, which the step's key names. */
export function sourceOfMount(mount: RunMount): MountSource | undefined {
  return mount.type === 'bind' || mount.type === 'cache' ? mount.source : undefined;
}
