import { BuildError } from '../core/errors.ts';
import type { Descriptor } from '../core/types.ts';
import type { HttpRequest } from '../http/request.ts';
import { type BlobSource, bytesOf } from './blob-source.ts';
import { accessTo } from './session.ts';
import { isOther, nameOf, otherDigest, type Target } from './target.ts';
import { sendPieces } from './upload-pieces.ts';
import {
  askPlace,
  cancelUpload,
  openedBy,
  openUpload,
  type UploadPlace,
  withDigest,
} from './upload-session.ts';

/**
 * True when the repository has the blob. A refusal counts as no: some accounts may write and not read. So does an answer
 * about other bytes: sending a blob twice is harmless.
 */
export async function hasBlob(target: Target, { digest, size }: Descriptor): Promise<boolean> {
  const { session, repository, signal } = target;
  return session.retrying(async () => {
    const response = await session.request(`/v2/${repository}/blobs/${digest}`, {
      method: 'HEAD',
      access: accessTo(repository, 'pull,push'),
      signal,
    });
    await response.discard();
    const length = response.header('content-length') ?? String(size);
    const named = response.header('docker-content-digest');
    if (response.status === 200) return Number(length) === size && !isOther(named, digest);
    if ([401, 403, 404, 405].includes(response.status)) return false;
    throw await session.refusal(response, `looking for a blob in ${nameOf(target)}`);
  }, signal);
}

/**
 * Asks the registry to take a blob over from another of its repositories. Answers `mounted`, or the upload session
 * that the registry opened instead (to be used, not opened again), or undefined when it refused.
 */
export async function mountBlob(
  target: Target,
  descriptor: Descriptor,
  from: string,
): Promise<'mounted' | UploadPlace | undefined> {
  const { session, repository, signal } = target;
  const own = accessTo(repository, 'pull,push');
  const query = new URLSearchParams({ mount: descriptor.digest, from });
  try {
    const response = await session.request(`/v2/${repository}/blobs/uploads/?${query}`, {
      method: 'POST',
      access: { ...own, scopes: [...own.scopes, ...accessTo(from, 'pull').scopes] },
      headers: { 'content-length': '0' },
      signal,
    });
    await response.discard();
    if (response.status === 201) return 'mounted';
    return response.status === 202 ? openedBy(response, target) : undefined;
  } catch (error) {
    // Mounting saves an upload; where it does not work there is still the upload.
    if (error instanceof BuildError && error.code !== 'interrupted') return undefined;
    throw error;
  }
}

export interface UploadOptions {
  /** An upload session that is already open. */
  readonly opened?: UploadPlace | undefined;
  readonly onBytes?: (done: number) => void;
}

/**
 * Sends a blob by the ladder of registry.md §3.1: a session, then one PUT with all bytes; where that is refused, or
 * breaks and the registry has kept a part, in pieces from there on. A broken attempt is begun anew with a session of its
 * own, unless the blob has arrived after all. An unfinished session is cancelled.
 */
export function uploadBlob(
  target: Target,
  descriptor: Descriptor,
  source: BlobSource,
  options: UploadOptions = {},
): Promise<void> {
  let hasBroken = false;
  return target.session.retrying(async (attempt) => {
    if (attempt > 0 && (await hasBlob(target, descriptor))) return;
    const opened = attempt === 0 ? options.opened : undefined;
    let place = opened ?? (await openUpload(target));
    const onPlace = (next: UploadPlace): void => {
      place = next;
    };
    try {
      await send(target, place, { ...options, descriptor, source, hasBroken, onPlace });
    } catch (error) {
      hasBroken ||= isBreak(error);
      await cancelUpload(target, place);
      throw error;
    }
  }, target.signal);
}

interface Blob extends UploadOptions {
  readonly descriptor: Descriptor;
  readonly source: BlobSource;
  readonly hasBroken: boolean;
  readonly onPlace: (place: UploadPlace) => void;
}

async function send(target: Target, place: UploadPlace, blob: Blob): Promise<void> {
  const { habits } = target;
  // A stream would be begun anew for each piece.
  const mayBePieces = habits.pieces === undefined && typeof blob.source !== 'function';
  const isWorthPieces = blob.hasBroken && blob.descriptor.size > habits.pieceBytes;
  if (habits.whole !== undefined || (isWorthPieces && mayBePieces)) {
    return inPieces(target, place, blob);
  }
  const broken = await putWhole(target, place, blob).catch((error: unknown) => breakOf(error));
  if (broken === undefined) {
    if (habits.whole === undefined) return;
    return inPieces(target, (await askPlace(target, place)) ?? (await openUpload(target)), blob);
  }
  const kept = mayBePieces ? await askPlace(target, place) : undefined;
  if (kept === undefined || kept.offset === 0) throw broken;
  return inPieces(target, kept, { ...blob, hasBroken: true });
}

/** One PUT with everything. A refusal of that way of sending becomes a habit of the registry. */
async function putWhole(target: Target, place: UploadPlace, blob: Blob): Promise<undefined> {
  const { descriptor, source, onBytes } = blob;
  const { size } = descriptor;
  const body = size === 0 ? Buffer.alloc(0) : () => bytesOf(source, { from: 0, to: size }, onBytes);
  const refused = await close(target, place, { descriptor, body, length: size });
  if (refused === undefined) return;
  if (![405, 413, 416, 501].includes(refused.status)) throw refused.error;
  target.habits.whole = refused.error;
}

/** From where the upload stands. What refuses pieces may still take the whole. */
async function inPieces(target: Target, place: UploadPlace, blob: Blob): Promise<void> {
  const { habits } = target;
  const { descriptor, source, onBytes, onPlace, hasBroken } = blob;
  const options = { source, size: descriptor.size, isFresh: hasBroken, onPlace, onBytes };
  try {
    const end = await sendPieces(target, place, options);
    const refused = await close(target, end, { descriptor, body: Buffer.alloc(0), length: 0 });
    if (refused === undefined) return;
    if (!refused.error.retry) habits.pieces = refused.error;
    throw refused.error;
  } catch (error) {
    if (habits.pieces === undefined) throw error;
    throw habits.whole ?? habits.pieces.with({ retry: true });
  }
}

/** The PUT that ends an upload; gives a refusal, or undefined where the blob is there. */
async function close(
  target: Target,
  place: UploadPlace,
  {
    descriptor,
    body,
    length,
  }: { descriptor: Descriptor; body: NonNullable<HttpRequest['body']>; length: number },
): Promise<{ status: number; error: BuildError } | undefined> {
  const { session, repository, signal } = target;
  const response = await session.request(withDigest(place, descriptor), {
    method: 'PUT',
    access: accessTo(repository, 'pull,push'),
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(length) },
    body,
    signal,
  });
  const { status } = response;
  if (![200, 201, 204].includes(status)) {
    return { status, error: await session.refusal(response, `pushing a blob to ${nameOf(target)}`) };
  }
  await response.discard();
  const stored = response.header('docker-content-digest');
  if (isOther(stored, descriptor.digest)) throw otherDigest(target, { stored, sent: descriptor.digest });
}

/** The error of a connection that broke; any other is thrown. */
function breakOf(error: unknown): BuildError {
  if (isBreak(error)) return error;
  throw error;
}

function isBreak(error: unknown): error is BuildError {
  return error instanceof BuildError && error.code === 'network' && error.retry;
}
