// An HTTP server on loopback that remembers what it was asked.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

/**
 * Starts a server. `handler` gets `(request, response, url)`; it may throw once the connection has ended, anything
 * else is a fault of this server. `seen` lists every
 * request: `{ method, path, query, headers }`.
 */
export async function listen(handler, { tls, port = 0 } = {}) {
  const seen = [];
  const listener = (request, response) => {
    const url = new URL(request.url, `http://${request.headers.host ?? 'localhost'}`);
    const { method, headers } = request;
    seen.push({ method, path: url.pathname, query: url.search, headers });
    // Streams that break are what this server is about.
    for (const stream of [request, response]) stream.on('error', () => {});
    const { socket } = request;
    handler(request, response, url).catch((error) => {
      const isOver = socket.destroyed || request.destroyed;
      socket.destroy();
      if (!isOver) throw error;
    });
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const host = `127.0.0.1:${server.address().port}`;
  const stop = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { origin: `${tls === undefined ? 'http' : 'https'}://${host}`, host, seen, stop };
}
