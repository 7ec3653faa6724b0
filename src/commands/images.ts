import { formatPlatform } from '../core/platform.ts';
import type { Layers, StoredImage } from '../core/store.ts';
import { parseConfig } from '../oci/config.ts';
import { parseReference } from '../oci/reference.ts';
import { formatAge, formatBytes, formatTable } from '../report/format.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

interface Row {
  readonly name: string;
  readonly tag: string;
  readonly id: string;
  readonly platform: string;
  readonly created: string | undefined;
  /** Bytes of all layers' tars, or of their compressed forms where nothing better is known. */
  readonly size: number;
}

/** Lists the images of the store, a line per name and platform. */
export async function images(
  options: { readonly json: boolean; readonly quiet: boolean },
  here: Surroundings,
): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const stored = await parts.store.images.list();
  if (options.quiet) return here.print(stored.map((image) => `${image.id}\n`).join(''));
  const rows = stored.flatMap((image) => rowsOf(image, parts.store.layers));
  here.print(options.json ? `${JSON.stringify(rows, null, 2)}\n` : tableOf(rows));
}

/** Bytes of an image's layers, as far as they are known. */
export function sizeOf(stored: StoredImage, layers: Layers): number {
  const sizes = stored.image.layers.map((layer) => layers.tarSize(layer) ?? layer.descriptor?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

function rowsOf(stored: StoredImage, layers: Layers): Row[] {
  const { created } = parseConfig(stored.image.config);
  const platform = formatPlatform(stored.image.platform);
  const rest = { id: stored.id, platform, created, size: sizeOf(stored, layers) };
  const tagged = stored.names.filter((name) => !name.includes('@'));
  const names = tagged.length > 0 ? tagged.map(splitName) : [{ name: '<none>', tag: '<none>' }];
  return names.map((name) => ({ ...name, ...rest }));
}

function splitName(text: string): { readonly name: string; readonly tag: string } {
  const { host, repository, tag = '<none>' } = parseReference(text);
  return { name: `${host}/${repository}`, tag };
}

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ name, tag, id, platform, created, size }) => [
    ...[name, tag, id.slice(7, 19), platform, formatAge(created, Date.now()), formatBytes(size)],
  ]);
  return formatTable([['NAME', 'TAG', 'IMAGE ID', 'PLATFORM', 'CREATED', 'SIZE'], ...lines]);
}
