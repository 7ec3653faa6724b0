import { type Digest, finish, hasher } from '../../src/core/digest.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { Emit } from '../../src/core/events.ts';
import { timed } from '../../src/core/spans.ts';
import type { Download, Store } from '../../src/core/store.ts';
import type { HttpClient } from '../../src/http/client.ts';
import { redact } from '../../src/http/redact.ts';
import type { HttpResponse } from '../../src/http/response.ts';
import { isRetryableStatus, parseRetryAfter, type RetryOptions, retrying } from '../../src/http/retry.ts';
import { baseOf } from '../path-resolve.ts';
import type { ContextFile } from './context.ts';
import type { Secret } from './git-auth.ts';
import { decoded } from './percent.ts';

/** What downloading needs. */
export interface HttpTools {
  readonly store: Pick<Store, 'blobs' | 'downloads'>;
  /** The client is loaded at the first call. */
  readonly client: () => Promise<HttpClient>;
  readonly secret: Secret;
  /** No server may be asked: what the store holds counts. */
  readonly offline?: boolean;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly retry: Omit<RetryOptions, 'signal'>;
}

/** A downloaded file, its bytes among the store's blobs. */
export interface HttpFile {
  readonly digest: Digest;
  readonly size: number;
  /** Last-Modified in seconds since the epoch, 0 where the server said nothing (containerfile §2). */
  readonly mtime: number;
  /** Absolute path of the bytes. */
  readonly path: string;
}

/** Bytes between two events of one download. */
const STEP = 1 << 20;

/** The name under which ADD puts a download: the last part of the path, `__unnamed__` where there is none. */
export function nameOfUrl(url: string): string {
  const { pathname } = new URL(url);
  const name = baseOf(decoded(pathname).replace(/(?<!\/)\/+$/, ''));
  return name === '' || name === '.' || name === '..' || name.includes('\0') ? '__unnamed__' : name;
}

/** Whether a text is an address that ADD downloads. */
export function isHttp(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

/** The download as ADD takes it: mode 0600, owner 0:0. */
export function downloadedFile({ digest, size, mtime, path }: HttpFile, name: string): ContextFile {
  const entry = { path: name, type: 'file', mode: 0o600, uid: 0, gid: 0, size, mtime, digest } as const;
  return { entry, absolute: path };
}

/**
 * Downloads a file, or takes what the store has of it: without asking where its digest is known beforehand
 * (`checksum`) or nothing may be asked, else where the server says that nothing changed. Fails with `digest-mismatch`, `not-found`, `denied` or
 * `network`; what may pass is tried again.
 */
export async function download(
  url: string,
  checksum: Digest | undefined,
  tools: HttpTools,
): Promise<HttpFile> {
  const { blobs, downloads } = tools.store;
  const known = downloads.find(url);
  const there = known === undefined ? undefined : blobs.find(known.digest);
  const counts = known?.digest === checksum || (tools.offline && checksum === undefined);
  if (known !== undefined && there !== undefined && counts) return { ...known, path: there };
  const before = there === undefined ? undefined : known;
  const got = await request(url, { checksum, before }, tools).catch((error: unknown) => {
    throw checksum === undefined && before !== undefined ? advised(error, before) : error;
  });
  await downloads.put(url, got);
  const path = blobs.find(got.digest);
  if (path === undefined)
    throw new BuildError('store', `the download of ${redact(url)} has vanished from the store`);
  return { ...got, path };
}

/** Without a network, what the store holds of a file may be used only where the build says which bytes it means. */
function advised(error: unknown, { digest }: Download): unknown {
  if (!(error instanceof BuildError) || error.code !== 'network') return error;
  const hint = `What the store holds of it counts without asking once the build says --checksum=${digest}.`;
  return new BuildError(error.code, error.message, { hint, cause: error });
}

interface Wanted {
  readonly checksum: Digest | undefined;
  /** What the store holds of it. */
  readonly before: Download | undefined;
}

/** Asks until it is there or given up: one transfer to those who watch. */
async function request(url: string, wanted: Wanted, tools: HttpTools): Promise<Download> {
  const transfer = {
    type: 'transfer',
    id: `get ${redact(url)}`,
    name: `downloading ${redact(url)}`,
  } as const;
  tools.emit({ ...transfer, done: 0, state: 'running' });
  const tell = (done: number, state: 'running' | 'done' | 'exists', total?: number): void =>
    tools.emit({ ...transfer, done, state, ...(total !== undefined && { total }) });
  try {
    const attempt = () => exchange(url, wanted, { tools, tell });
    const asking = () => retrying(attempt, { ...tools.retry, signal: tools.signal });
    return await timed(tools.emit, 'transfer', asking);
  } catch (error) {
    tools.emit({ ...transfer, done: 0, state: 'failed' });
    throw error;
  }
}

interface Told {
  readonly tools: HttpTools;
  readonly tell: (done: number, state: 'running' | 'done' | 'exists', total?: number) => void;
}

async function exchange(url: string, wanted: Wanted, { tools, tell }: Told): Promise<Download> {
  const client = await tools.client();
  const headers = { ...(await authorization(url, tools.secret)), ...conditions(wanted.before) };
  const response = await client.request(url, { headers, signal: tools.signal });
  if (response.status === 304 && wanted.before !== undefined) {
    await response.discard();
    checkDigest(url, wanted.before.digest, wanted.checksum);
    tell(wanted.before.size, 'exists');
    return wanted.before;
  }
  if (response.status !== 200) throw await refusal(url, response);
  const total = Number(response.header('content-length')) || undefined;
  const passing = passed(response.body, {
    tell: (done) => tell(done, 'running', total),
    check: (digest) => checkDigest(url, digest, wanted.checksum),
  });
  const { digest, size } = await tools.store.blobs.writeStream(passing);
  tell(size, 'done', size);
  return { digest, size, ...stateOf(response) };
}

/** What the server will know this state of the file by. */
function stateOf(response: HttpResponse): Pick<Download, 'mtime' | 'etag' | 'lastModified'> {
  const [etag, lastModified] = [response.header('etag'), response.header('last-modified')];
  const time = lastModified === undefined ? Number.NaN : Date.parse(lastModified);
  return {
    mtime: Number.isNaN(time) ? 0 : Math.max(0, Math.floor(time / 1000)),
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
  };
}

function conditions(before: Download | undefined): Record<string, string> {
  if (before?.etag !== undefined) return { 'if-none-match': before.etag };
  return before?.lastModified === undefined ? {} : { 'if-modified-since': before.lastModified };
}

/** Bytes on their way into the store; wrong ones fail before they are kept. */
async function* passed(
  chunks: AsyncIterable<Buffer>,
  { tell, check }: { readonly tell: (done: number) => void; readonly check: (digest: Digest) => void },
): AsyncGenerator<Buffer> {
  const hash = hasher();
  let [done, told] = [0, 0];
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
    done += chunk.length;
    if (done - told < STEP) continue;
    told = done;
    tell(done);
  }
  check(finish(hash));
}

function checkDigest(url: string, digest: Digest, checksum: Digest | undefined): void {
  if (checksum === undefined || digest === checksum) return;
  throw new BuildError('digest-mismatch', `${redact(url)} has the digest ${digest}, not ${checksum}`, {
    about: checksum,
    hint: 'The file was changed, or is not the one that was meant: look at it, then correct --checksum.',
  });
}

/** The login of the address's own host (containerfile §2); a redirect elsewhere leaves it behind (src/http). */
async function authorization(url: string, secret: Secret): Promise<Record<string, string>> {
  const { hostname, username, password } = new URL(url);
  const header = (await secret(`HTTP_AUTH_HEADER_${hostname}`))?.toString('utf8').trim();
  if (header) return { authorization: header };
  const token = (await secret(`HTTP_AUTH_TOKEN_${hostname}`))?.toString('utf8').trim();
  if (token) return { authorization: `Bearer ${token}` };
  if (username === '') return {};
  const pair = `${decoded(username)}:${decoded(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

async function refusal(url: string, response: HttpResponse): Promise<BuildError> {
  const { status } = response;
  const retryAfterMs = parseRetryAfter(response.header('retry-after'));
  await response.discard();
  const isLogin = status === 401 || status === 403;
  const code = isLogin ? 'denied' : status === 404 || status === 410 ? 'not-found' : 'network';
  const { hostname } = new URL(url);
  const login = `Where a login is needed, give --secret id=HTTP_AUTH_TOKEN_${hostname},env=TOKEN.`;
  return new BuildError(code, `the server answers ${status} to GET ${redact(url)}`, {
    about: url,
    retry: isRetryableStatus(status),
    hint: isLogin ? login : 'Check the address: open it in a browser.',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}
