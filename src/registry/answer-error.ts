import { BuildError, type ErrorCode } from '../core/errors.ts';
import { oneLine } from '../http/redact.ts';
import type { HttpResponse } from '../http/response.ts';
import { isRetryableStatus, parseRetryAfter } from '../http/retry.ts';

export interface AnswerContext {
  /** What was tried, as the subject of `failed`: `pulling docker.io/library/alpine`. */
  readonly doing: string;
  readonly hint?: string;
  /** Takes secrets out of what the server said. */
  readonly conceal?: (text: string) => string;
}

/**
 * The error that an answer of a registry amounts to (`denied`, `not-found`, `registry`), with the server's own words
 * where it gave them as the protocol says (distribution-spec, Error Codes). Pages for people are not shown.
 */
export async function answerError(response: HttpResponse, context: AnswerContext): Promise<BuildError> {
  const { status } = response;
  const said = saidIn(await response.excerpt());
  const words = said === '' ? '' : `: ${(context.conceal ?? ((text: string) => text))(said)}`;
  const retryAfterMs = parseRetryAfter(response.header('retry-after'));
  const hint = context.hint ?? hintFor(status);
  const wait = retryAfterMs === undefined ? '' : `; it asks to wait ${Math.ceil(retryAfterMs / 1000)} s`;
  return new BuildError(codeFor(status), `${context.doing} failed: status ${status}${words}${wait}`, {
    retry: isRetryableStatus(status),
    ...(hint !== undefined && { hint }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function codeFor(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'denied';
  return status === 404 ? 'not-found' : 'registry';
}

function hintFor(status: number): string | undefined {
  if (status === 401 || status === 403)
    return 'Check the name, log in with `tsbuild login`, and check the rights of the account.';
  if (status === 404)
    return 'Check the name; a registry may also say so of what it does not show to this account.';
  if (status === 413) return 'The registry, or a proxy before it, limits the size of uploads.';
  if (status === 429) return 'The registry limits how often it is asked; log in, or try again later.';
  return status >= 500 ? 'The registry itself is in trouble: try again later.' : undefined;
}

/** `CODE message` of the first error of the body, or ''. */
function saidIn(body: string): string {
  try {
    const { errors } = JSON.parse(body) as { errors?: { code?: unknown; message?: unknown }[] };
    const first = errors?.[0];
    const parts = [first?.code, first?.message].filter((part) => typeof part === 'string' && part !== '');
    return oneLine(parts.join(' ')).replace(/\.$/, '');
  } catch {
    return '';
  }
}
