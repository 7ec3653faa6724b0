// A program for tests: what `inMachine` has running. It greets whoever connects, on its loopback with "inside", on its own
// address with "outside", and names its own address for whatever name is asked.
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

const [address = '', port = '', ready = ''] = process.argv.slice(2);
await Promise.all([greet('127.0.0.1', 'inside\n'), greet(address, 'outside\n'), answerNames()]);
writeFileSync(ready, 'ready');

function greet(host: string, words: string): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => {}).end(words));
  return new Promise((resolve) => server.listen(Number(port), host, resolve));
}

function answerNames(): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => socket.send(answerTo(query), from.port, from.address));
  return new Promise((resolve) => socket.bind(53, '127.0.0.1', resolve));
}

/** The question again, and for IPv4 one answer (RFC 1035, section 4). */
function answerTo(query: Buffer): Buffer {
  const end = query.indexOf(0, 12) + 5;
  const answers = query.readUInt16BE(end - 4) === 1 ? 1 : 0;
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(answers, 6);
  head.writeUInt32BE(0, 8);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)]);
  return answers === 1 ? Buffer.concat([head, record]) : head;
}
