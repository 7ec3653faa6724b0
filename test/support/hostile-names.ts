import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { makeCertificates } from './certificates.ts';
import type { HostileRegistry } from './hostile-registry/registry.mjs';
import { startHttpServer } from './http-server.ts';

/** What registries on loopback are called where they must look like public ones. */
export const publicName = 'registry.example.com';

/** A proxy that knows registries by public-looking names, `0.registry.example.com` and so on, and an authority for them. */
export interface Named {
  /** The certificate of such a registry. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer };
  /** How a client gets there: its variables, and a name for this registry. */
  through(registry: HostileRegistry): { env: Record<string, string>; host: string };
  /** What clients wanted from the proxy besides; undefined where that was nothing. */
  leak(): string | undefined;
  stop(): Promise<void>;
}

export async function nameRegistries(folder: string): Promise<Named> {
  const files = makeCertificates(folder, [`*.${publicName}`]);
  const known = new Map<string, number>();
  const others: string[] = [];
  const proxy = await startHttpServer(
    (request, response) => {
      others.push(request.url ?? '');
      response.writeHead(403).end();
    },
    undefined,
    (request, socket) => {
      const port = known.get(request.url ?? '');
      if (port === undefined) {
        others.push(request.url ?? '');
        return socket.destroy();
      }
      const upstream = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    },
  );
  return {
    tls: { cert: readFileSync(files.cert), key: readFileSync(files.key) },
    through: (registry) => {
      const host = `${known.size}.${publicName}`;
      known.set(`${host}:443`, Number(registry.host.split(':')[1]));
      return { env: { HTTPS_PROXY: proxy.origin, HTTP_PROXY: proxy.origin, SSL_CERT_FILE: files.ca }, host };
    },
    leak: () => (others.length === 0 ? undefined : `led to ${others.join(', ')}`),
    stop: () => proxy.stop(),
  };
}
