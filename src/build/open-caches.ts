import type { SharedContent } from '../../cache/remote/document.ts';
import { folderPlace } from '../../cache/remote/folder-place.ts';
import { importCache } from '../../cache/remote/import.ts';
import type { CachePlace } from '../../cache/remote/place.ts';
import { registryPlace } from '../../cache/remote/registry-place.ts';
import { joinShared } from '../../cache/remote/shared.ts';
import type { Parts } from '../commands/wiring.ts';
import { BuildError } from '../core/errors.ts';
import type { BuildOptions, CacheSite } from '../core/options.ts';
import type { SharedResults } from '../core/store.ts';
import { targetPlatforms } from '../core/target-platforms.ts';
import { parseReference } from '../oci/reference.ts';

/** The place that a site names. Nothing is asked of it yet. */
export function openPlace(site: CacheSite, { registry }: Parts): CachePlace {
  switch (site.type) {
    case 'registry':
      return registryPlace(parseReference(site.name), registry.open);
    case 'local':
      return folderPlace(site);
  }
}

/** Which way a transfer goes: nowhere, where the cache is on this machine. */
export function wayOf<W extends 'in' | 'out'>({ type }: CacheSite, way: W): { readonly way?: W } {
  return type === 'local' ? {} : { way };
}

/** What the sources of a build know, read side by side. One that cannot be read is a warning, and the build goes on. */
export async function readSources(options: BuildOptions, parts: Parts): Promise<SharedResults> {
  const contents = await Promise.all(options.cacheFrom.map((site) => readSource(site, options, parts)));
  return joinShared(contents.filter((content) => content !== undefined));
}

async function readSource(
  site: CacheSite,
  options: BuildOptions,
  parts: Parts,
): Promise<SharedContent | undefined> {
  const { cacheMaxAgeMs: maxAgeMs, emit, signal } = options;
  await using place = openPlace(site, parts);
  let done = 0;
  const onBytes = (bytes: number): void => {
    done += bytes;
  };
  try {
    const platforms = targetPlatforms(options);
    const content = await importCache(place, { platforms, maxAgeMs, signal, onBytes });
    const text = `the cache ${place.name}`;
    if (content === undefined) {
      emit({ type: 'note', level: 'info', text: `${text} is not there yet` });
      return undefined;
    }
    const transfer = { id: `import ${place.name}`, name: `reading ${text}`, ...wayOf(site, 'in') } as const;
    emit({ type: 'transfer', ...transfer, done, state: 'done' });
    const passed = `${text}: ${content.malformed} entries make no sense and are passed over`;
    if (content.malformed > 0) emit({ type: 'note', level: 'warning', text: passed });
    return content;
  } catch (error) {
    if (!(error instanceof BuildError) || signal.aborted) throw error;
    const { message, hint } = error;
    const text = `the cache ${place.name} is not used: ${message}`;
    emit({ type: 'note', level: 'warning', text, ...(hint !== undefined && { hint }) });
    return undefined;
  }
}
