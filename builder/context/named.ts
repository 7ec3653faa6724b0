import type { Platform, Snapshot } from '../../src/core/types.ts';
import type { Context } from './context.ts';

/** What a name of `--build-context` stands for: files, or an image. */
export type NamedContext =
  | { readonly kind: 'context'; readonly context: Context; readonly name: string }
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot };

/** The contexts that the command names, opened when they are first asked for. */
export interface NamedContexts {
  /** What a FROM, a `--from` or a mount means by `name`; undefined for what is no named context. */
  find(name: string, platform: Platform): Promise<NamedContext | undefined>;
  /** Writes what was learnt about unchanged files. */
  save(): Promise<void>;
}
