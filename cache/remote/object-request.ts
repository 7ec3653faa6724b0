import { BuildError } from '../../src/core/errors.ts';
import { oneLine } from '../../src/http/redact.ts';
import type { HttpResponse } from '../../src/http/response.ts';
import { isRetryableStatus, parseRetryAfter } from '../../src/http/retry.ts';
import type { Registry } from '../../src/registry/registry.ts';

/** How services for objects are reached. */
export type Reach = Pick<Registry, 'request' | 'retrying'>;

/**
 * The error that an unwelcome answer amounts to; its body is used up. `hint` is for an account that may not;
 * `secrets` are not shown, should the service say one.
 */
export async function refusalOf(
  response: HttpResponse,
  {
    doing,
    hint,
    secrets,
  }: { readonly doing: string; readonly hint: string; readonly secrets: readonly string[] },
): Promise<BuildError> {
  const { status } = response;
  const excerpt = await response.excerpt();
  const said = wordsIn(secrets.reduce((text, secret) => text.replaceAll(secret, '****'), excerpt));
  const isDenied = status === 401 || status === 403;
  const retryAfterMs = parseRetryAfter(response.header('retry-after'));
  const message = `${doing} failed: status ${status}${said === '' ? '' : `: ${said}`}`;
  return new BuildError(isDenied ? 'denied' : 'network', message, {
    retry: isRetryableStatus(status),
    ...(isDenied && { hint }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** What a service says of an error, in XML (S3, Azure) or JSON (Twirp): its code, and one sentence. */
function wordsIn(body: string): string {
  const parts = [
    /<Code>([^<]*)<\/Code>/.exec(body)?.[1] ?? /"code"\s*:\s*"([^"]*)"/.exec(body)?.[1],
    /<Message>([^<]*)<\/Message>/.exec(body)?.[1] ?? /"msg"\s*:\s*"([^"]*)"/.exec(body)?.[1],
  ];
  return oneLine(parts.filter((part) => part !== undefined).join(' ')).replace(/\.$/, '');
}
