import { BuildError } from '../core/errors.ts';
import type { FetchBlob } from '../core/store.ts';
import type { Descriptor, Origin } from '../core/types.ts';
import type { HttpResponse } from '../http/response.ts';
import { accessTo, type Session } from './session.ts';

/** Opens the session with a registry by its name; the same one each time. */
export type OpenSession = (host: string, signal?: AbortSignal) => Promise<Session>;

/**
 * Makes the function that streams blobs. Origins are tried in order until one has the blob; a connection that breaks
 * is taken up where it broke, by Range. The stream has exactly the descriptor's size or fails; its digest is the
 * consumer's to check.
 */
export function blobFetcher(open: OpenSession): FetchBlob {
  return async (origins, descriptor, signal) => {
    if (descriptor.size === 0) return nothing();
    let failure: unknown;
    for (const origin of origins) {
      try {
        return await begin({ session: await open(origin.host, signal), origin, descriptor, signal });
      } catch (error) {
        if (!(error instanceof BuildError) || error.code === 'interrupted') throw error;
        failure ??= error;
      }
    }
    throw failure ?? nowhere(descriptor);
  };
}

interface Download {
  readonly session: Session;
  readonly origin: Origin;
  readonly descriptor: Descriptor;
  readonly signal: AbortSignal | undefined;
}

interface Part {
  readonly body: AsyncIterable<Buffer>;
  readonly etag: string | undefined;
}

/** Breaks in a row, without a mebibyte between them, after which a server is given up. */
const allowedBreaks = 5;

async function begin(download: Download): Promise<AsyncIterable<Buffer>> {
  const first = await download.session.retrying(() => requestFrom(download, 0, undefined), download.signal);
  return wholeBlob(download, first);
}

/** The first answer and, after each break, what was still missing. */
async function* wholeBlob(download: Download, first: Part): AsyncGenerator<Buffer> {
  const { session, descriptor, signal } = download;
  let part = first;
  let done = 0;
  for (let breaks = 0; ; ) {
    const before = done;
    try {
      for await (const chunk of part.body) {
        done += chunk.length;
        if (done > descriptor.size) throw wrongSize(download, `more than ${descriptor.size}`);
        yield chunk;
      }
      if (done < descriptor.size) throw brokeOff(download, done);
    } catch (error) {
      breaks = done - before >= 1 << 20 ? 1 : breaks + 1;
      if (!(error instanceof BuildError && error.retry)) throw error;
      if (breaks > allowedBreaks && done < descriptor.size) throw error;
    }
    if (done === descriptor.size) return;
    part = await session.retrying(() => requestFrom(download, done, first.etag), signal);
  }
}

/** Always asks the registry itself: an address that it redirected to may have ended meanwhile. */
async function requestFrom(download: Download, offset: number, etag: string | undefined): Promise<Part> {
  const { session, origin, descriptor, signal } = download;
  const range = { range: `bytes=${offset}-`, ...(etag !== undefined && { 'if-range': etag }) };
  const response = await session.request(`/v2/${origin.repository}/blobs/${descriptor.digest}`, {
    access: accessTo(origin.repository, 'pull'),
    headers: offset === 0 ? {} : range,
    signal,
  });
  if (response.status === 200) return fromStart(download, response, offset);
  if (offset > 0 && response.status === 206 && isPart(download, response, offset))
    return { body: response.body, etag: undefined };
  if (offset > 0 && [206, 416].includes(response.status)) {
    await response.discard();
    return withoutRange(download, offset);
  }
  throw await session.refusal(response, `pulling a blob of ${nameOf(origin)}`);
}

/** A server that answers a Range with another part, or with none, may still have the whole. */
async function withoutRange(download: Download, offset: number): Promise<Part> {
  const whole = await requestFrom(download, 0, undefined);
  return { ...whole, body: withoutFirst(whole.body, offset) };
}

async function fromStart(download: Download, response: HttpResponse, offset: number): Promise<Part> {
  const length = response.header('content-length');
  if (length !== undefined && Number(length) !== download.descriptor.size) {
    await response.discard();
    throw wrongSize(download, length);
  }
  const body = offset === 0 ? response.body : withoutFirst(response.body, offset);
  return { body, etag: strongEtag(response) };
}

function isPart({ descriptor }: Download, response: HttpResponse, offset: number): boolean {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.header('content-range') ?? '');
  const [, start, total] = range ?? [];
  return Number(start) === offset && (total === '*' || Number(total) === descriptor.size);
}

/** Who begins anew has what was handed out before passed over (the digest covers all of it). */
export async function* withoutFirst(body: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  let left = count;
  for await (const chunk of body) {
    if (chunk.length > left) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

async function* nothing(): AsyncGenerator<Buffer> {}

function strongEtag(response: HttpResponse): string | undefined {
  const etag = response.header('etag');
  return etag?.startsWith('"') ? etag : undefined;
}

function nameOf(origin: Origin): string {
  return `${origin.host}/${origin.repository}`;
}

function wrongSize({ origin, descriptor }: Download, size: string): BuildError {
  const message = `a blob of ${nameOf(origin)} has ${size} bytes, but its manifest says ${descriptor.size} (${descriptor.digest})`;
  return new BuildError('digest-mismatch', message, { hint: 'The image is damaged there; push it again.' });
}

function brokeOff({ origin, descriptor }: Download, done: number): BuildError {
  const message = `${nameOf(origin)} ended a blob after ${done} of ${descriptor.size} bytes`;
  return new BuildError('network', message, { retry: true });
}

function nowhere(descriptor: Descriptor): BuildError {
  return new BuildError('not-found', `it is not known where the layer ${descriptor.digest} can be fetched`, {
    hint: 'Pull or build the image again.',
  });
}
