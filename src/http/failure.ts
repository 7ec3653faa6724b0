import { BuildError, errnoOf } from '../core/errors.ts';
import { redact } from './redact.ts';
import { interrupted } from './retry.ts';

export interface RequestFacts {
  readonly method: string;
  readonly url: URL;
  readonly proxy: URL | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Turns what undici, TLS and the sockets throw into a BuildError (`network`) that says what to do. What no network
 * causes is a fault of ours, and is thrown as it is.
 */
export function networkError(error: unknown, facts: RequestFacts): BuildError {
  if (facts.signal?.aborted) return interrupted(facts.signal);
  if (error instanceof BuildError) return error;
  const code = deepestCode(error);
  if (code === '' && (error instanceof TypeError || error instanceof ReferenceError)) throw error;
  const { said, hint, retry = true } = meaning(code, facts, error);
  const via = facts.proxy === undefined ? '' : ` through the proxy ${facts.proxy.host}`;
  const message = `${facts.method} ${redact(facts.url)}${via} failed: ${said}`;
  return new BuildError('network', message, { retry, ...(hint !== undefined && { hint }) });
}

interface Meaning {
  readonly said: string;
  readonly hint?: string;
  readonly retry?: boolean;
}

function meaning(code: string, facts: RequestFacts, error: unknown): Meaning {
  const { name = '', message = '' } = error instanceof Error ? error : {};
  const proxyStatus = /^Proxy response \((\d+)\)/.exec(message)?.[1];
  if (proxyStatus !== undefined) return proxyRefused(proxyStatus);
  if (/Proxy Authentication Required/.test(message)) return proxyRefused('407');
  const known = meanings[code];
  if (known !== undefined) return known;
  if (isCertificateFault(code)) return untrusted(code, facts.url.host);
  if (/^(ERR_SSL|EPROTO|ERR_TLS)/.test(code))
    return { said: `TLS could not be agreed on (${code})`, retry: false };
  if (code.startsWith('HPE_') || name === 'HTTPParserError')
    return { said: 'the answer is not HTTP', retry: false };
  return { said: code === '' ? 'the connection broke' : `the connection broke (${code})` };
}

const meanings: Readonly<Record<string, Meaning>> = {
  ENOTFOUND: {
    said: 'the host name is not known',
    hint: 'Check the name, the network and the DNS server; behind a proxy, set HTTPS_PROXY.',
    retry: false,
  },
  EAI_AGAIN: { said: 'the host name could not be looked up', hint: 'Check the network and the DNS server.' },
  ECONNREFUSED: {
    said: 'nothing accepts connections there',
    hint: 'Check host and port, and that the server runs.',
  },
  ENETUNREACH: {
    said: 'the network is unreachable',
    hint: 'Check the network; behind a proxy, set HTTPS_PROXY.',
  },
  EHOSTUNREACH: {
    said: 'the host is unreachable',
    hint: 'Check the network; behind a proxy, set HTTPS_PROXY.',
  },
  UND_ERR_CONNECT_TIMEOUT: {
    said: 'no connection within the time allowed',
    hint: 'Check host, port and proxy.',
  },
  UND_ERR_HEADERS_TIMEOUT: { said: 'the server accepted the request and did not answer in time' },
  UND_ERR_BODY_TIMEOUT: { said: 'the server stopped sending in the middle of its answer' },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: { said: 'the answer is shorter or longer than it said' },
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: {
    said: 'the bytes to send changed while they were sent',
    retry: false,
  },
  UND_ERR_HEADERS_OVERFLOW: { said: "the answer's headers are too large", retry: false },
  UND_ERR_INVALID_ARG: { said: 'the request cannot be sent as it is', retry: false },
  UND_ERR_PRX_TLS: { said: 'TLS to the proxy failed', retry: false },
};

function proxyRefused(status: string): Meaning {
  if (status === '407') {
    return {
      said: 'the proxy asks for a user and password',
      hint: 'Write them into the variable: http://user:password@proxy:port.',
      retry: false,
    };
  }
  return { said: `the proxy refused with status ${status}`, retry: /^50[234]$/.test(status) };
}

function isCertificateFault(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO|ISSUER|HOSTNAME_MISMATCH/.test(code);
}

function untrusted(code: string, host: string): Meaning {
  return {
    said: `the server's certificate is not trusted (${code})`,
    hint: `Put its authority into /etc/containers/certs.d/${host}/ca.crt or SSL_CERT_FILE, or use --tls-verify=false.`,
    retry: false,
  };
}

/** The code of the innermost cause that has one; of several addresses tried, the first. */
function deepestCode(error: unknown): string {
  let code = '';
  let at: unknown = error;
  for (let depth = 0; at instanceof Error && depth < 8; depth++) {
    code = errnoOf(at) ?? code;
    at = at instanceof AggregateError ? at.errors[0] : at.cause;
  }
  return code;
}
