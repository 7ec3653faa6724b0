import type { SharedContent } from '../../cache/remote/document.ts';
import { folderPlace } from '../../cache/remote/folder-place.ts';
import { workflowService } from '../../cache/remote/gha.ts';
import { importCache } from '../../cache/remote/import.ts';
import { objectPlace } from '../../cache/remote/object-place.ts';
import { type CachePlace, isPlace } from '../../cache/remote/place.ts';
import { registryPlace } from '../../cache/remote/registry-place.ts';
import { s3Service } from '../../cache/remote/s3.ts';
import { joinShared } from '../../cache/remote/shared.ts';
import type { Parts } from '../commands/wiring.ts';
import { BuildError } from '../core/errors.ts';
import type { BuildOptions, CacheSite } from '../core/options.ts';
import { timed } from '../core/spans.ts';
import type { SharedResults } from '../core/store.ts';
import { targetPlatforms } from '../core/target-platforms.ts';
import { parseReference } from '../oci/reference.ts';
import { bucketOf, s3Keys, workflowOf } from './cache-environment.ts';

/**
 * The place that a site names. Nothing is asked of it yet; from now on layers that are kept there can be fetched. Fails
 * with `usage` where the environment lacks what it needs.
 */
export function openPlace(site: CacheSite, parts: Parts): CachePlace {
  const place = placeOf(site, parts.registry);
  if (isPlace(place.origin.host)) parts.places.set(place.origin.host, place.fetch);
  return place;
}

function placeOf(site: CacheSite, registry: Parts['registry']): CachePlace {
  switch (site.type) {
    case 'registry':
      return registryPlace(parseReference(site.name), (names) => registry.openFor(names));
    case 'local':
      return folderPlace(site);
    case 's3':
      return objectPlace(s3Service(bucketOf(site, process.env), s3Keys(process.env), registry), site.name);
    case 'gha':
      return objectPlace(workflowService(workflowOf(site, process.env), registry), 'index');
  }
}

/** Which way a transfer goes: nowhere, where the cache is on this machine. */
export function wayOf<W extends 'in' | 'out'>({ type }: CacheSite, way: W): { readonly way?: W } {
  return type === 'local' ? {} : { way };
}

/** What the sources of a build know, read side by side. One that cannot be read is a warning, and the build goes on. */
export async function readSources(options: BuildOptions, parts: Parts): Promise<SharedResults> {
  const { cacheFrom, emit, signal } = options;
  const contents = cacheFrom.map(async (site) => {
    try {
      await using place = openPlace(site, parts);
      return await readSource(site, place, options);
    } catch (error) {
      if (!(error instanceof BuildError) || signal.aborted) throw error;
      const { message, hint } = error;
      const text = `the cache ${nameOf(site)} is not used: ${message}`;
      emit({ type: 'note', level: 'warning', text, ...(hint !== undefined && { hint }) });
      return undefined;
    }
  });
  return joinShared((await Promise.all(contents)).filter((content) => content !== undefined));
}

async function readSource(
  site: CacheSite,
  place: CachePlace,
  options: BuildOptions,
): Promise<SharedContent | undefined> {
  const { cacheMaxAgeMs: maxAgeMs, emit, signal } = options;
  let done = 0;
  const onBytes = (bytes: number): void => {
    done += bytes;
  };
  const platforms = targetPlatforms(options);
  const read = () => importCache(place, { platforms, maxAgeMs, signal, onBytes });
  const content = await timed(emit, 'transfer', read);
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
}

/** A site as messages name it. */
export function nameOf(site: CacheSite): string {
  if (site.type === 'registry') return site.name;
  return site.type === 'local' ? site.folder : `type=${site.type}`;
}
