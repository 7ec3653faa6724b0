import { BuildError } from '../core/errors.ts';
import { isLoopback } from '../http/address.ts';
import { hasHostCertificates } from '../http/certificates.ts';
import type { HttpClient } from '../http/client.ts';
import { isDockerHub } from './credentials.ts';

export interface EndpointOptions {
  readonly client: HttpClient;
  readonly tlsVerify: boolean;
  readonly certDirs: readonly string[];
  readonly certDir?: string | undefined;
  readonly certificates?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Where the registry of a reference answers. HTTPS, but: on loopback plain HTTP when the server speaks it and no
 * certificates are kept for it; with `tlsVerify` false plain HTTP when there is no TLS. No secret is sent to find out.
 */
export async function findEndpoint(host: string, options: EndpointOptions): Promise<URL> {
  if (isDockerHub(host)) return new URL('https://registry-1.docker.io');
  const https = parseHost(`https://${host}`, host);
  const http = parseHost(`http://${host}`, host);
  if (!options.tlsVerify)
    return (await speaks(https, options)) || !(await speaks(http, options)) ? https : http;
  const { certDir, certDirs, certificates = {} } = options;
  const isNamed = certDir !== undefined || Object.hasOwn(certificates, host);
  const hasCertificates = isNamed || hasHostCertificates(host, certDirs);
  if (!isLoopback(http.hostname) || hasCertificates) return https;
  return (await speaks(http, options)) ? http : https;
}

function parseHost(text: string, host: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && url.pathname === '/' && url.username === '' && url.search === '') return url;
  throw new BuildError('usage', `${JSON.stringify(host)} is not the name of a registry`, {
    hint: 'It looks like registry.example.com or registry.example.com:5000.',
  });
}

/** A server that wants TLS answers plain HTTP with 400 or a redirect to https, or hangs up. */
async function speaks(base: URL, options: EndpointOptions): Promise<boolean> {
  try {
    const response = await options.client.request(new URL('/v2/', base), {
      maxRedirects: 0,
      signal: options.signal,
    });
    await response.discard();
    if (base.protocol === 'https:') return true;
    const leadsToTls = response.header('location')?.startsWith('https:') ?? false;
    return response.status !== 400 && response.status !== 426 && !leadsToTls;
  } catch (error) {
    if (error instanceof BuildError && error.code === 'network') return false;
    throw error;
  }
}
