import type { Entry } from './types.ts';

/**
 * True for an extended attribute by which overlayfs or a store of ours keeps its own accounts of a file: it is no part
 * of what the file is, and one that comes with an input would be believed.
 */
export function isMark(name: string): boolean {
  return /^(?:(?:user|trusted)\.overlay|user\.tsbuild)\./.test(name);
}

/** True for a character device 0:0, by which overlayfs writes a deletion; nothing else is ever one. */
export function isDeletion({ type, device }: Pick<Entry, 'type' | 'device'>): boolean {
  return type === 'char' && device?.major === 0 && device.minor === 0;
}
