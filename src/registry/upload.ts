import { createReadStream } from 'node:fs';
import { BuildError } from '../core/errors.ts';
import type { Descriptor } from '../core/types.ts';
import { isPrivateAddress } from '../http/address.ts';
import { redact } from '../http/redact.ts';
import type { HttpResponse } from '../http/response.ts';
import { accessTo, type Session } from './session.ts';

/** One repository that is pushed to. */
export interface Target {
  readonly session: Session;
  readonly repository: string;
  readonly signal?: AbortSignal | undefined;
}

/** True when the repository has the blob. A refusal counts as no: some accounts may write and not read. */
export async function hasBlob(target: Target, descriptor: Descriptor): Promise<boolean> {
  const { session, repository, signal } = target;
  return session.retrying(async () => {
    const response = await session.request(`/v2/${repository}/blobs/${descriptor.digest}`, {
      method: 'HEAD',
      access: accessTo(repository, 'pull,push'),
      signal,
    });
    await response.discard();
    if (response.status === 200) return true;
    if ([401, 403, 404, 405].includes(response.status)) return false;
    throw await session.refusal(response, `Looking for a blob in ${nameOf(target)}`);
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
): Promise<'mounted' | URL | undefined> {
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
    return response.status === 202 ? locationOf(response, target) : undefined;
  } catch (error) {
    // Mounting saves an upload; where it does not work there is still the upload.
    if (error instanceof BuildError && error.code !== 'interrupted') return undefined;
    throw error;
  }
}

/** A blob to send, of exactly the descriptor's size: bytes, the absolute path of a file, or a stream that can be begun anew. */
export type BlobSource = Buffer | string | (() => AsyncIterable<Buffer>);

export interface UploadOptions {
  /** An upload session that is already open. */
  readonly location?: URL | undefined;
  readonly onBytes?: (done: number) => void;
}

/**
 * Sends a blob: POST for a session, then one PUT with all bytes (distribution-spec, monolithic upload). A broken
 * attempt is begun anew with a session of its own, unless the blob has arrived after all. An unfinished session is
 * cancelled.
 */
export function uploadBlob(
  target: Target,
  descriptor: Descriptor,
  source: BlobSource,
  options: UploadOptions = {},
): Promise<void> {
  return target.session.retrying(async (attempt) => {
    if (attempt > 0 && (await hasBlob(target, descriptor))) return;
    const opened = attempt === 0 ? options.location : undefined;
    const location = opened ?? (await openUpload(target));
    try {
      await put(target, withDigest(location, descriptor), source, { descriptor, onBytes: options.onBytes });
    } catch (error) {
      await cancelUpload(target, location);
      throw error;
    }
  }, target.signal);
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

async function openUpload(target: Target): Promise<URL> {
  const { session, repository, signal } = target;
  const response = await session.request(`/v2/${repository}/blobs/uploads/`, {
    method: 'POST',
    access: accessTo(repository, 'pull,push'),
    headers: { 'content-length': '0' },
    signal,
  });
  if (response.status !== 202) throw await session.refusal(response, `pushing to ${nameOf(target)}`);
  await response.discard();
  return locationOf(response, target);
}

function locationOf(response: HttpResponse, target: Target): URL {
  const location = response.header('location');
  if (location !== undefined) return resolveLocation(location, response.url);
  throw new BuildError('registry', `${nameOf(target)} opened an upload and did not say where`);
}

/** The registry's query stays as it is, to the letter: it may be signed. */
function withDigest(location: URL, descriptor: Descriptor): URL {
  const url = new URL(location);
  url.search += `${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(descriptor.digest)}`;
  return url;
}

async function put(
  target: Target,
  url: URL,
  source: BlobSource,
  { descriptor, onBytes }: { descriptor: Descriptor; onBytes: UploadOptions['onBytes'] },
): Promise<void> {
  const { session, repository, signal } = target;
  const response = await session.request(url, {
    method: 'PUT',
    access: accessTo(repository, 'pull,push'),
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(descriptor.size) },
    body: descriptor.size === 0 ? Buffer.alloc(0) : () => counted(source, onBytes),
    signal,
  });
  if (![200, 201, 204].includes(response.status)) {
    throw await session.refusal(response, `pushing a blob to ${nameOf(target)}`);
  }
  await response.discard();
}

async function* counted(source: BlobSource, onBytes: UploadOptions['onBytes']): AsyncGenerator<Buffer> {
  let done = 0;
  for await (const chunk of opened(source)) {
    yield chunk;
    done += chunk.length;
    onBytes?.(done);
  }
}

function opened(source: BlobSource): AsyncIterable<Buffer> | readonly Buffer[] {
  if (typeof source === 'function') return source();
  return Buffer.isBuffer(source) ? [source] : createReadStream(source, { highWaterMark: 1 << 20 });
}

/** Best effort, also after an abort: a registry clears forgotten uploads by itself, sooner or later. */
async function cancelUpload(target: Target, location: URL): Promise<void> {
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

export function nameOf(target: Target): string {
  return `${target.session.host}/${target.repository}`;
}
