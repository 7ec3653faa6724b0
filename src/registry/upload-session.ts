import { BuildError } from '../core/errors.ts';
import type { Descriptor } from '../core/types.ts';
import { isPrivateAddress } from '../http/address.ts';
import { redact } from '../http/redact.ts';
import type { HttpResponse } from '../http/response.ts';
import { accessTo } from './session.ts';
import { nameOf, type Target } from './target.ts';

/** Where an upload stands: the address of its next request, and the bytes that the registry has. */
export interface UploadPlace {
  readonly location: URL;
  readonly offset: number;
  /** What every piece but the last must have at least (OCI-Chunk-Min-Length). */
  readonly leastBytes: number;
}

/** Opens an upload session. */
export async function openUpload(target: Target): Promise<UploadPlace> {
  const { session, repository, signal } = target;
  const response = await session.request(`/v2/${repository}/blobs/uploads/`, {
    method: 'POST',
    access: accessTo(repository, 'pull,push'),
    headers: { 'content-length': '0' },
    signal,
  });
  if (response.status !== 202) throw await session.refusal(response, `pushing to ${nameOf(target)}`);
  await response.discard();
  return openedBy(response, target);
}

/** The session that a 202 to a POST has opened. */
export function openedBy(response: HttpResponse, target: Target): UploadPlace {
  const location = response.header('location');
  if (location === undefined) {
    throw new BuildError('registry', `${nameOf(target)} opened an upload and did not say where`);
  }
  const least = response.header('oci-chunk-min-length') ?? '';
  const leastBytes = /^\d{1,12}$/.test(least) ? Number(least) : 0;
  return { location: resolveLocation(location, response.url), offset: 0, leastBytes };
}

/**
 * Where the upload stands after an answer: at its newest Location, and behind what its Range says has arrived. Of `0-0`
 * nobody knows whether it is one byte or none (spec: registry.md §3.1): it is taken for `otherwise`, as is no Range.
 */
export function placeAfter(response: HttpResponse, before: UploadPlace, otherwise: number): UploadPlace {
  const location = response.header('location');
  const end = /^(?:bytes[ =])?0-(\d{1,15})$/.exec(response.header('range') ?? '')?.[1];
  return {
    ...before,
    location: location === undefined ? before.location : resolveLocation(location, response.url),
    offset: end === undefined || end === '0' ? otherwise : Number(end) + 1,
  };
}

/**
 * Asks where an upload stands (distribution-spec, GET of an upload). Undefined when it is no more; a registry that
 * does not answer such questions has what it had before.
 */
export async function askPlace(target: Target, place: UploadPlace): Promise<UploadPlace | undefined> {
  const { session, repository, signal } = target;
  const response = await session.request(place.location, {
    access: accessTo(repository, 'pull,push'),
    signal,
  });
  await response.discard();
  if (response.status === 404) return undefined;
  return [200, 202, 204].includes(response.status) ? placeAfter(response, place, 0) : place;
}

/** The address that ends an upload. The registry's query stays as it is, to the letter: it may be signed. */
export function withDigest({ location }: UploadPlace, descriptor: Descriptor): URL {
  const url = new URL(location);
  url.search += `${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(descriptor.digest)}`;
  return url;
}

/** Best effort, also after an abort: a registry clears forgotten uploads by itself, sooner or later. */
export async function cancelUpload(target: Target, { location }: UploadPlace): Promise<void> {
  try {
    const response = await target.session.request(location, {
      method: 'DELETE',
      access: accessTo(target.repository, 'pull,push'),
      signal: AbortSignal.timeout(3000),
    });
    await response.discard();
  } catch {
    // The error that led here is the one to tell.
  }
}

/**
 * The address that the next request of an upload goes to. It is relative, absolute or a host without scheme, and its
 * query is the registry's own (spec: registry.md §3.1). A registry elsewhere must not lead into a private network.
 */
export function resolveLocation(location: string, answeredBy: URL): URL {
  const isHostOnly = /^[A-Za-z0-9.-]+(:\d+)?\/v2\//.test(location);
  const text = isHostOnly ? `${answeredBy.protocol}//${location}` : location;
  const url = URL.canParse(text, answeredBy.href) ? new URL(text, answeredBy) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) throw badLocation(answeredBy);
  const isSameHost = url.hostname === answeredBy.hostname;
  if (answeredBy.protocol === 'https:' && url.protocol === 'http:') {
    // Registries behind a proxy that ends TLS know neither their scheme nor their port.
    if (!isSameHost) throw badLocation(answeredBy);
    url.protocol = 'https:';
    url.port = answeredBy.port;
  }
  const leadsInside = isPrivateAddress(url.hostname) && !isPrivateAddress(answeredBy.hostname);
  if (leadsInside && !isSameHost) throw badLocation(answeredBy);
  return url;
}

function badLocation(answeredBy: URL): BuildError {
  return new BuildError(
    'registry',
    `${redact(answeredBy)} named an address for the upload that is not used`,
    {
      hint: 'A proxy before the registry may have to pass on the Host and X-Forwarded-Proto headers.',
    },
  );
}
