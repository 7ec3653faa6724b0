import type { Platform } from '../core/types.ts';
import { type DiffTextOptions, diffText } from './diff-text.ts';
import { compare } from './image-diff.ts';
import { lookAt } from './looked-at.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

export interface DiffCommand extends DiffTextOptions {
  /** The two images, by name or id. */
  readonly names: readonly [string, string];
  readonly platform?: Platform;
  readonly json: boolean;
}

/** Tells what differs between two images; gives whether anything does. */
export async function diff(options: DiffCommand, here: Surroundings): Promise<boolean> {
  await using parts = await openParts(here.root, here.registry, here.place, { emit: here.emit });
  const [first, second] = options.names;
  const a = await lookAt({ name: first, platform: options.platform }, { parts, here });
  const b = await lookAt({ name: second, platform: options.platform }, { parts, here });
  const { times, history: steps } = options;
  const [store, { signal }] = [parts.store.layers, here];
  const found = await compare(a, b, { times, history: steps, store, signal });
  here.print(options.json ? `${JSON.stringify(found, null, 2)}\n` : diffText(found, options));
  const { config, files, history } = found;
  return config.length + files.length + (history?.added.length ?? 0) + (history?.removed.length ?? 0) > 0;
}
