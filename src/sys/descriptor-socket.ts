import type { Arena } from './arena.ts';
import { check, declare } from './libc.ts';

const socketCall = declare('socket', 'int', ['int', 'int', 'int']);
const bindCall = declare('bind', 'int', ['int', 'void *', 'uint32_t']);
const listenCall = declare('listen', 'int', ['int', 'int']);
const acceptCall = declare('accept4', 'int', ['int', 'uintptr_t', 'uintptr_t', 'int']);
const recvmsgCall = declare('recvmsg', 'long', ['int', 'uintptr_t', 'int']);
const closeCall = declare('close', 'int', ['int']);

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/** sun_path of unix(7), with its end. */
export const LONGEST_SOCKET_PATH = 107;

/** A listening socket at `path`, which must not be longer than `LONGEST_SOCKET_PATH` bytes. */
export function listenAt(path: string): number {
  const address = Buffer.alloc(2 + LONGEST_SOCKET_PATH + 1);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(path, 2);
  const fd = check(socketCall(AF_UNIX, SOCK_STREAM | CLOEXEC, 0), 'socket');
  check(bindCall(fd, address, address.length), 'bind', path);
  check(listenCall(fd, 1), 'listen', path);
  return fd;
}

/** Takes one connection, and gives the message on it and the descriptors that came along. Uses the whole arena. */
export function receiveDescriptors(
  socket: number,
  arena: Arena,
): { readonly text: string; readonly descriptors: readonly number[] } {
  const connection = check(acceptCall(socket, 0, 0, CLOEXEC), 'accept4');
  try {
    const length = check(recvmsgCall(connection, messageIn(arena), 0x40000000), 'recvmsg');
    return {
      text: arena.bytes.toString('utf8', layout.data, layout.data + length),
      descriptors: descriptorsIn(arena.bytes),
    };
  } finally {
    closeCall(connection);
  }
}

/** Offsets of struct msghdr, its vector, what comes along, and the text. */
const layout = { header: 0, vector: 64, control: 128, controlLength: 256, data: 512 } as const;

function messageIn({ address, bytes }: Arena): number {
  bytes.fill(0, 0, layout.data);
  bytes.writeBigUInt64LE(BigInt(address + layout.vector), 16);
  bytes.writeBigUInt64LE(1n, 24);
  bytes.writeBigUInt64LE(BigInt(address + layout.control), 32);
  bytes.writeBigUInt64LE(BigInt(layout.controlLength), 40);
  bytes.writeBigUInt64LE(BigInt(address + layout.data), layout.vector);
  bytes.writeBigUInt64LE(BigInt(bytes.length - layout.data), layout.vector + 8);
  return address + layout.header;
}

function descriptorsIn(bytes: Buffer): number[] {
  const length = Math.min(Number(bytes.readBigUInt64LE(layout.control)), layout.controlLength);
  const level = bytes.readInt32LE(layout.control + 8);
  const type = bytes.readInt32LE(layout.control + 12);
  if (level !== SOL_SOCKET || type !== SCM_RIGHTS) return [];
  const found: number[] = [];
  for (let at = 16; at + 4 <= length; at += 4) found.push(bytes.readInt32LE(layout.control + at));
  return found;
}
