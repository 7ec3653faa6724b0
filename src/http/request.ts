/** What is sent: bytes, or a function that begins the same bytes anew each time (with `content-length` in the headers). */
type RequestBody = Buffer | (() => AsyncIterable<Buffer>);

export interface HttpRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  readonly signal?: AbortSignal | undefined;
  /** Default 5; 0 returns the redirect itself. */
  readonly maxRedirects?: number;
  /** A host whose authorities in certs.d count too (a registry's, at its token server and where it redirects to). */
  readonly alsoTrust?: string;
}

/** One request of a chain of redirects. */
export interface Hop {
  readonly url: URL;
  readonly request: HttpRequest;
}
