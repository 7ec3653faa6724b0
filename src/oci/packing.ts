import type { Compression, Packing } from '../core/types.ts';

/** The compression of a packing, and its level where that is not ours. */
export function partsOf(packing: Packing): { readonly compression: Compression; readonly level?: number } {
  const [compression, level] = packing.split('-') as [Compression, string | undefined];
  return level === undefined ? { compression } : { compression, level: Number(level) };
}

/** The form that a layer gets on its way out: what has one keeps it, unless all are to have the same. */
export function packingFor(
  layer: { readonly descriptor?: unknown },
  asked: Packing | 'any',
  force: boolean,
): Packing | 'any' {
  return layer.descriptor !== undefined && !force ? 'any' : asked;
}
