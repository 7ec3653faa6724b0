import type { Layers, StoredImage } from '../core/store.ts';
import { parseConfig } from '../oci/config.ts';
import { cleanLine } from '../report/clean.ts';
import { formatAge, formatBytes, formatTable } from '../report/format.ts';
import { clip } from '../report/width.ts';
import { findImage } from './find-image.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

interface Row {
  readonly created: string | undefined;
  readonly createdBy: string;
  readonly comment: string;
  readonly size: number;
  /** Digest of the layer's tar; absent for a step that made none. */
  readonly diffId: string | undefined;
}

export interface HistoryOptions {
  readonly name: string;
  readonly json: boolean;
  /** Steps are not cut to fit. */
  readonly whole: boolean;
}

/** Lists the steps that made an image, the newest first. */
export async function history(options: HistoryOptions, here: Surroundings): Promise<void> {
  await using parts = await openParts(here.root, here.registry, here.place);
  const rows = rowsOf(await findImage(parts.store, options.name), parts.store.layers);
  here.print(options.json ? `${JSON.stringify(rows, null, 2)}\n` : tableOf(rows, options.whole));
}

function rowsOf({ image }: StoredImage, layers: Layers): Row[] {
  const left = [...image.layers];
  const rows = (parseConfig(image.config).history ?? []).map((entry) => {
    const layer = entry.empty_layer ? undefined : left.shift();
    return {
      created: entry.created,
      createdBy: entry.created_by ?? '',
      comment: entry.comment ?? '',
      size: layer === undefined ? 0 : (layers.tarSize(layer) ?? layer.descriptor?.size ?? 0),
      diffId: layer?.diffId,
    };
  });
  return rows.reverse();
}

function tableOf(rows: readonly Row[], whole: boolean): string {
  const lines = rows.map((row) => {
    const step = cleanLine(row.createdBy.replaceAll('\n', ' '));
    return [
      formatAge(row.created, Date.now()),
      formatBytes(row.size),
      whole ? step : clip(step, 60),
      cleanLine(row.comment),
    ];
  });
  return formatTable([['CREATED', 'SIZE', 'CREATED BY', 'COMMENT'], ...lines]);
}
