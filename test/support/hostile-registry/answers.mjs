// Answers as values: `{ status, headers, body }`, and how they reach a client, whole or broken.

/** An error as the specification writes it. */
export function refuse(status, code, message = code.toLowerCase().replaceAll('_', ' ')) {
  const body = Buffer.from(JSON.stringify({ errors: [{ code, message }] }));
  return { status, headers: { 'content-type': 'application/json' }, body };
}

/** Thrown by whoever notices that the connection is gone: nothing more can be said to the client. */
export class Gone extends Error {}

/**
 * Sends an answer, spoilt as `fault` says: `corrupt` (the byte to flip), `truncate` (all that is sent of what was
 * announced), `resetAfter` (the same, ended by a reset), `stallAfter` (the same, and then silence), `trickle` (a byte
 * at a time, for ever), `endless` (no length, and no end), `close` (the connection ends after the answer, unannounced).
 */
export async function send(response, answer, fault = {}) {
  const { status, headers = {} } = answer;
  let body = Buffer.from(answer.body ?? '');
  const isHead = response.req.method === 'HEAD';
  if (fault.corrupt !== undefined && body.length > 0) body = flipped(body, fault.corrupt);
  const length = status === 204 || fault.endless ? {} : { 'content-length': body.length };
  if (fault.trickleHeaders) return trickleHeaders(response.socket);
  response.writeHead(status, { ...length, ...headers });
  if (isHead || status === 204) return ended(response, undefined, fault);
  const cut = fault.truncate ?? fault.resetAfter ?? fault.stallAfter;
  if (cut !== undefined) return broken(response, body.subarray(0, cut), fault);
  if (fault.trickle) return trickle(response, body);
  if (fault.endless) return endless(response, body);
  return ended(response, body, fault);
}

function ended(response, body, { close = false }) {
  return new Promise((resolve) => {
    response.on('close', resolve);
    const { socket } = response;
    response.end(body, () => {
      // Clients think that the connection is still good: their next request is the one that fails.
      if (close) setImmediate(() => reset(socket));
      resolve();
    });
  });
}

async function broken(response, part, fault) {
  response.flushHeaders();
  await new Promise((resolve) => response.write(part, resolve));
  if (fault.stallAfter !== undefined) return untilClosed(response.socket);
  if (fault.resetAfter !== undefined) reset(response.socket);
  else response.socket?.destroy();
}

async function trickle(response, body) {
  for (let at = 0; !response.destroyed && at < body.length; at++) {
    response.write(body.subarray(at, at + 1));
    await pause(20, response.socket);
  }
  response.end();
}

async function trickleHeaders(socket) {
  socket.write('HTTP/1.1 200 OK\r\n');
  for (let n = 0; !socket.destroyed; n++) {
    socket.write(`x-${n}: y\r\n`);
    await pause(20, socket);
  }
}

/** The body again and again, as fast as the client takes it. */
async function endless(response, body) {
  const times = Math.ceil((1 << 16) / Math.max(1, body.length));
  const piece = Buffer.concat(Array(times).fill(body.length > 0 ? body : Buffer.from(' ')));
  while (!response.destroyed && response.socket !== null) {
    if (response.write(piece)) await new Promise((resolve) => setImmediate(resolve));
    else await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
}

/** Breaks a connection as a network does; over TLS there is only an end without a farewell. */
export function reset(socket) {
  if (socket?.encrypted) socket.destroy();
  else socket?.resetAndDestroy();
}

/** Says nothing until the client hangs up. */
export function untilClosed(socket) {
  return socket === null || socket.destroyed ? Promise.resolve() : once(socket, 'close');
}

function once(emitter, event) {
  return new Promise((resolve) => emitter.once(event, resolve));
}

function pause(ms, socket) {
  return Promise.race([new Promise((resolve) => setTimeout(resolve, ms)), untilClosed(socket)]);
}

function flipped(body, at) {
  const copy = Buffer.from(body);
  const index = Math.min(at, copy.length - 1);
  copy[index] = copy[index] ^ 0xff;
  return copy;
}
