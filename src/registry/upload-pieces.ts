import { BuildError } from '../core/errors.ts';
import { type BlobSource, bytesOf } from './blob-source.ts';
import { accessTo } from './session.ts';
import { type Habits, nameOf, type Target } from './target.ts';
import { askPlace, placeAfter, type UploadPlace } from './upload-session.ts';

/** One blob on its way to a repository. */
export interface PiecesOptions {
  readonly source: BlobSource;
  /** Of the whole blob, in bytes. */
  readonly size: number;
  /** Each piece on a connection of its own: some are cut off after so many bytes. */
  readonly isFresh: boolean;
  /** Told each place that the upload comes to. */
  readonly onPlace: (place: UploadPlace) => void;
  readonly onBytes?: ((done: number) => void) | undefined;
}

const mebibyte = 1 << 20;

/**
 * How large a piece may be, at first and after each refusal of a size: what most registries take, what GitHub's takes, and
 * what a web server that nobody configured lets through (spec: registry.md §3.1).
 */
const pieceSizes = [8 * mebibyte, 4 * mebibyte, mebibyte];

/** What is known of a registry before anything was sent there. */
export function firstHabits(host: string): Habits {
  return { pieceBytes: host === 'ghcr.io' ? pieceSizes[1]! : pieceSizes[0]! };
}

/**
 * Sends what is missing of a blob in pieces, one PATCH each, and gives the place from which the upload can be closed.
 * After a break the registry is asked what it has, and the rest goes on from there. A session that the registry has lost
 * fails with `retry`: then all of it begins anew.
 */
export async function sendPieces(
  target: Target,
  start: UploadPlace,
  options: PiecesOptions,
): Promise<UploadPlace> {
  let place = start;
  while (place.offset < options.size) {
    const next = await sendPiece(target, place, options);
    if (next === 'lost') throw lost(target);
    if (next !== 'too-large') place = next;
    options.onPlace(place);
  }
  return place;
}

/** Each piece, and each progress after a break, has tries of its own. */
function sendPiece(
  target: Target,
  place: UploadPlace,
  options: PiecesOptions,
): Promise<UploadPlace | 'too-large' | 'lost'> {
  return target.session.retrying(async (attempt) => {
    const now = attempt === 0 ? place : await askPlace(target, place);
    if (now === undefined) return 'lost';
    return now.offset > place.offset ? now : patch(target, now, options);
  }, target.signal);
}

async function patch(
  target: Target,
  place: UploadPlace,
  options: PiecesOptions,
): Promise<UploadPlace | 'too-large' | 'lost'> {
  const { session, repository, signal, habits } = target;
  const from = place.offset;
  const to = Math.min(from + Math.max(habits.pieceBytes, place.leastBytes), options.size);
  const response = await session.request(place.location, {
    method: 'PATCH',
    access: accessTo(repository, 'pull,push'),
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(to - from),
      'content-range': `${from}-${to - 1}`,
      ...(options.isFresh && { connection: 'close' }),
    },
    body: () => bytesOf(options.source, { from, to }, options.onBytes),
    signal,
  });
  const { status } = response;
  if (![200, 201, 202, 204].includes(status)) {
    if (status === 416 || status === 413) {
      const moved = await movedTo(target, place, placeAfter(response, place, from));
      if (moved !== undefined) return moved;
      if (hasSmaller(habits, place)) return 'too-large';
    }
    const error = await session.refusal(response, `pushing a piece of a blob to ${nameOf(target)}`);
    if (status === 404) return 'lost';
    if (!error.retry) habits.pieces = error;
    throw error;
  }
  await response.discard();
  const next = placeAfter(response, place, to);
  if (next.offset > to || next.offset <= from) throw otherBytes(target, next.offset);
  return next;
}

/** A refused range may be one that is out of step: then the registry says, or is asked, where it stands. */
async function movedTo(
  target: Target,
  place: UploadPlace,
  said: UploadPlace,
): Promise<UploadPlace | 'lost' | undefined> {
  const now = said.offset === place.offset ? await askPlace(target, said) : said;
  if (now === undefined) return 'lost';
  return now.offset === place.offset ? undefined : now;
}

/** Makes the pieces smaller, where that is possible. */
function hasSmaller(habits: Habits, { leastBytes }: UploadPlace): boolean {
  const smaller = pieceSizes.find((size) => size < habits.pieceBytes);
  if (smaller === undefined || smaller < leastBytes) return false;
  habits.pieceBytes = smaller;
  return true;
}

function lost(target: Target): BuildError {
  return new BuildError('registry', `${nameOf(target)} has lost an upload that was under way`, {
    retry: true,
  });
}

function otherBytes(target: Target, offset: number): BuildError {
  const message = `${nameOf(target)} says that it has ${offset} bytes of a blob, which were not those sent`;
  return new BuildError('registry', message, { retry: true });
}
