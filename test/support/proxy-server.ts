import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Handler, startHttpServer } from './http-server.ts';

export interface ProxyServer {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  /** `GET http://name:port/path` and `CONNECT name:port`. */
  readonly asked: string[];
  /** What each was asked with. */
  readonly authorizations: (string | undefined)[];
  stop(): Promise<void>;
}

export interface ProxyOptions {
  /** `user:password`, without which nobody is let through. */
  readonly login?: string;
  /** Speak TLS with clients. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
  /** The port of this machine where a name is served; undefined where there is no such name. Default: the one asked for. */
  readonly portOf?: (name: string) => number | undefined;
}

/** A forward proxy on loopback that leads every name there: names that only it knows prove that it was asked. */
export async function startProxyServer({ login, tls, portOf }: ProxyOptions = {}): Promise<ProxyServer> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const wanted = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
  /** True for who may pass. */
  const admit = ({ method, url, headers }: IncomingMessage): boolean => {
    asked.push(`${method} ${url}`);
    authorizations.push(headers['proxy-authorization']);
    return wanted === undefined || headers['proxy-authorization'] === wanted;
  };
  const pass: Handler = (request, response) => {
    if (!admit(request)) return void response.writeHead(407, challenge).end();
    const { port, pathname, search } = new URL(request.url ?? '');
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const path = pathname + search;
    const onward = httpRequest({ host: '127.0.0.1', port, path, method: request.method, headers }, (answer) =>
      answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)),
    );
    request.pipe(onward.on('error', () => response.destroy()));
  };
  const tunnel = (request: IncomingMessage, socket: Duplex): void => {
    if (!admit(request)) return void socket.end('HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n');
    const [name = '', wished] = request.url?.split(':') ?? [];
    const port = portOf === undefined ? Number(wished) : portOf(name);
    if (port === undefined) return void socket.end('HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n');
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy()).on('close', () => onward.destroy());
  };
  const { host, stop } = await startHttpServer(pass, tls, tunnel);
  return { host, asked, authorizations, stop };
}

const challenge = { 'proxy-authenticate': 'Basic realm=proxy' };
