// A connection that breaks: a relay to any server, of any protocol, on a port of its own.
import { connect, createServer } from 'node:net';

/**
 * Relays to `to` (`host:port`). Each connection is reset after `everyBytes` from the client; with `together`, the one that
 * is at it whenever so many have passed on all of them. `resets` counts both.
 */
export async function startRelay(to, { everyBytes, together = false }) {
  const [host, port] = to.split(':');
  const sockets = new Set();
  const relay = { resets: 0 };
  const all = { left: everyBytes };
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    const count = together ? all : { left: everyBytes };
    const reset = () => {
      relay.resets += 1;
      client.resetAndDestroy();
      // What was handed over arrives: half of a request, as it is when a network breaks.
      upstream.end();
    };
    client.on('data', (chunk) => {
      const part = chunk.subarray(0, count.left);
      count.left -= part.length;
      if (!upstream.write(part)) client.pause();
      if (count.left > 0) return;
      count.left = everyBytes;
      reset();
    });
    upstream.on('drain', () => client.resume());
    upstream.pipe(client);
    client.on('end', () => upstream.end());
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => sockets.delete(one));
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  relay.host = `127.0.0.1:${server.address().port}`;
  relay.stop = () =>
    new Promise((resolve) => {
      server.close(resolve);
      for (const socket of sockets) socket.destroy();
    });
  return relay;
}
