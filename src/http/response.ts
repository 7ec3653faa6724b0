import { finished } from 'node:stream';
import type { Dispatcher } from 'undici';
import { BuildError } from '../core/errors.ts';
import { networkError, type RequestFacts } from './failure.ts';
import { oneLine, redact } from './redact.ts';

export interface HttpResponse {
  readonly status: number;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** A header by its lower-case name; several of the name are joined with `, `. */
  header(name: string): string | undefined;
  /** The body, once. A broken connection throws `network` with `retry`. */
  readonly body: AsyncIterable<Buffer>;
  /** The whole body; fails when it is larger than `limit` bytes. */
  bytes(limit: number): Promise<Buffer>;
  text(limit: number): Promise<string>;
  /** The first bytes of the body as one harmless line, for a message; never fails. */
  excerpt(): Promise<string>;
  /** Drops the body, so that the connection may be used again. */
  discard(): Promise<void>;
  /** Settles when the body has ended, however it ended. */
  readonly closed: Promise<void>;
}

export function responseOf(
  answer: Dispatcher.ResponseData,
  facts: RequestFacts,
  idleMs: number,
): HttpResponse {
  const stream = answer.body;
  const closed = new Promise<void>((resolve) => finished(stream, { writable: false }, () => resolve()));
  // An error that nobody reads any more (the body was dropped) must not become an uncaught one.
  stream.on('error', () => {});
  if (facts.method === 'HEAD' || answer.statusCode === 204) stream.resume();
  const body = readable(stream, facts, idleMs);
  const bytes = (limit: number): Promise<Buffer> => collect(body, limit, facts.url);
  return {
    status: answer.statusCode,
    url: facts.url,
    header: (name) => joined(answer.headers[name]),
    body,
    bytes,
    text: async (limit) => (await bytes(limit)).toString('utf8'),
    excerpt: () => excerptOf(body),
    discard: async () => {
      await stream.dump({ limit: 64 << 10 }).catch(() => {});
    },
    closed,
  };
}

/** Fewer bytes than this within the time that a server may be silent are as good as silence. */
const leastBytes = 1 << 10;

async function* readable(
  stream: AsyncIterable<Buffer>,
  facts: RequestFacts,
  idleMs: number,
): AsyncGenerator<Buffer> {
  let [waitedMs, bytes] = [0, 0];
  try {
    let askedAt = performance.now();
    for await (const chunk of stream) {
      waitedMs += performance.now() - askedAt;
      bytes += chunk.length;
      if (bytes >= leastBytes) [waitedMs, bytes] = [0, 0];
      else if (waitedMs > idleMs) throw tooSlow(facts, { bytes, waitedMs });
      yield chunk;
      // What the reader did meanwhile is not the server's time.
      askedAt = performance.now();
    }
  } catch (error) {
    throw networkError(error, facts);
  }
}

function tooSlow({ method, url }: RequestFacts, at: { bytes: number; waitedMs: number }): BuildError {
  const pace = `${at.bytes} bytes in ${Math.round(at.waitedMs / 1000)} s`;
  return new BuildError(
    'network',
    `${method} ${redact(url)} failed: the server sends next to nothing (${pace})`,
    {
      retry: true,
    },
  );
}

async function collect(body: AsyncIterable<Buffer>, limit: number, url: URL): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit)
      throw new BuildError('network', `the answer of ${redact(url)} is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function excerptOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) {
      chunks.push(chunk.subarray(0, 16 << 10));
      if (chunks.length === 4) break;
    }
  } catch {
    // What came before the break is all there is to show.
  }
  return oneLine(Buffer.concat(chunks).toString('utf8'), 16 << 10);
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
