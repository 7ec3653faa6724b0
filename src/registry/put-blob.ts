import type { Descriptor, Origin } from '../core/types.ts';
import type { BlobSource } from './blob-source.ts';
import type { Target } from './target.ts';
import { hasBlob, mountBlob, uploadBlob } from './upload.ts';

/** A blob to be put into a repository: what it is known as, and where else it is. */
export interface Offered {
  readonly descriptor: Descriptor;
  readonly origins: readonly Origin[];
  /** Asked for only where the blob must be sent; it may come in another form than it was known by. */
  readonly open: () => Promise<{ readonly descriptor: Descriptor; readonly content: BlobSource }>;
  readonly onBytes?: ((done: number) => void) | undefined;
}

/** What a blob was put as, and how it came to be there. */
export interface Arrival {
  readonly descriptor: Descriptor;
  readonly how: 'exists' | 'mounted' | 'done';
}

/** Makes sure that a repository has a blob: it is looked for, taken over from another repository, or sent. */
export async function putBlob(
  target: Target,
  { descriptor, origins, open, onBytes }: Offered,
): Promise<Arrival> {
  if (await hasBlob(target, descriptor)) return { descriptor, how: 'exists' };
  const { session, repository } = target;
  const from = origins.find((origin) => origin.host === session.host && origin.repository !== repository);
  const mounted = from && (await mountBlob(target, descriptor, from.repository));
  if (mounted === 'mounted') return { descriptor, how: 'mounted' };
  const source = await open();
  const isOther = source.descriptor.digest !== descriptor.digest;
  if (isOther && (await hasBlob(target, source.descriptor)))
    return { descriptor: source.descriptor, how: 'exists' };
  await uploadBlob(target, source.descriptor, source.content, {
    opened: mounted,
    ...(onBytes && { onBytes }),
  });
  return { descriptor: source.descriptor, how: 'done' };
}

/** The same of bytes that are at hand and nowhere else. */
export async function putBytes(
  target: Target,
  descriptor: Descriptor,
  content: Buffer,
): Promise<Arrival['how']> {
  const open = async () => ({ descriptor, content });
  return (await putBlob(target, { descriptor, origins: [], open })).how;
}
