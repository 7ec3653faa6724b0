import type { Context } from '../../builder/context/context.ts';
import type { Tools } from '../../builder/tools.ts';
import type { Image, Platform, Snapshot } from '../core/types.ts';

/** What a build shares with others that work at the same time on the same store. */
export interface Others {
  /** Waits until each of them knows what it is made of: nothing is built in vain. */
  readonly ready: () => Promise<void>;
  /** What another one makes (`--build-context name=target:OTHER`); waits until it is made. */
  readonly snapshot: (other: string, platform: Platform) => Promise<Snapshot>;
  /** Is told the images as soon as they are made, before they go anywhere. */
  readonly made: (images: readonly Image[]) => void;
  /** Is told where the build is remembered: the store is kept within its bound when all have ended. */
  readonly remembered: (folder: string) => void;
  /** Folders that are read once for all. */
  readonly contexts: Map<string, Context>;
  readonly tools: Pick<Tools, 'gate' | 'made'>;
}
