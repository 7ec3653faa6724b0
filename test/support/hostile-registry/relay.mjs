// A connection that breaks: a relay to any server, of any protocol, on a port of its own.
import { connect, createServer } from 'node:net';

/**
 * Relays to `to` (`host:port`). Each connection is reset, on both sides, after `everyBytes` from the client. `resets` counts
 * them.
 */
export async function startRelay(to, { everyBytes }) {
  const [host, port] = to.split(':');
  const sockets = new Set();
  const relay = { resets: 0 };
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    let left = everyBytes;
    const reset = () => {
      relay.resets += 1;
      client.resetAndDestroy();
      // What was handed over arrives: half of a request, as it is when a network breaks.
      upstream.end();
    };
    client.on('data', (chunk) => {
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (!upstream.write(part)) client.pause();
      if (left === 0) reset();
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
