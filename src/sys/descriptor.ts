import { constants } from 'node:os';
import { answer, declare } from './libc.ts';

/**
 * Calls on files by descriptor, for those who make very many of them: memory is given by its address (arena.ts), and
 * what comes back is what the kernel answers, a negative errno for a failure.
 */
const call4 = declare('syscall', 'long', ['long', 'long', 'uintptr_t', 'uintptr_t', 'long']);
const openatCall = declare('openat', 'int', ['int', 'uintptr_t', 'int', 'uint32_t']);
const readCall = declare('read', 'long', ['int', 'uintptr_t', 'size_t']);
const closeCall = declare('close', 'int', ['int']);
const statxCall = declare('syscall', 'long', [
  'long',
  'long',
  'uintptr_t',
  'long',
  'unsigned long',
  'uintptr_t',
]);
const fchownatCall = declare('fchownat', 'int', ['int', 'uintptr_t', 'uint32_t', 'uint32_t', 'int']);
const mknodatCall = declare('mknodat', 'int', ['int', 'uintptr_t', 'uint32_t', 'uint64_t']);
const mkdiratCall = declare('mkdirat', 'int', ['int', 'uintptr_t', 'uint32_t']);
const symlinkatCall = declare('symlinkat', 'int', ['uintptr_t', 'int', 'uintptr_t']);
const getxattrCall = declare('getxattr', 'long', ['uintptr_t', 'uintptr_t', 'uintptr_t', 'size_t']);
const setxattrCall = declare('setxattr', 'int', ['uintptr_t', 'uintptr_t', 'uintptr_t', 'size_t', 'int']);
const removexattrCall = declare('removexattr', 'int', ['uintptr_t', 'uintptr_t']);
const pollCall = declare('poll', 'int', ['uintptr_t', 'unsigned long', 'int']);
const eventfdCall = declare('eventfd', 'int', ['uint32_t', 'int']);
const unshareCall = declare('unshare', 'int', ['int']);
const umaskCall = declare('umask', 'uint32_t', ['uint32_t']);

const fstatCall = declare('syscall', 'long', ['long', 'long', 'uintptr_t', 'uintptr_t', 'long']);
const fstatNumber = process.arch === 'arm64' ? 80 : 5;
const openat2Number = 437;
const statxNumber = process.arch === 'arm64' ? 291 : 332;

/** Flags of open(2) that node:fs does not name. */
export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;
const isArm = process.arch === 'arm64';
export const O_DIRECTORY = isArm ? 0o40000 : 0o200000;
export const O_NOFOLLOW = isArm ? 0o100000 : 0o400000;
/** The bit by which O_TMPFILE differs from O_DIRECTORY. */
export const O_UNNAMED = 0o20000000;

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_EMPTY_PATH = 0x1000;

/** How openat2(2) looks names up. */
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_BENEATH = 0x08;
export const RESOLVE_IN_ROOT = 0x10;

export function openat(folder: number, path: number, flags: number, mode = 0): number {
  return answer(openatCall(folder, path, flags, mode));
}

/** Tries before a name counts as one that cannot be looked up. */
const mostTries = 128;

const { EAGAIN } = constants.errno;

/**
 * `how` is the address of a struct open_how of 24 bytes. Where a name with `..` in it must not leave a folder, any
 * rename or mount of the machine makes the kernel answer EAGAIN (openat2(2)): it is asked again.
 */
export function openat2(folder: number, path: number, how: number): number {
  let result = answer(call4(openat2Number, folder, path, how, 24));
  for (let tries = 1; result === -EAGAIN && tries < mostTries; tries++)
    result = answer(call4(openat2Number, folder, path, how, 24));
  return result;
}

export function read(fd: number, into: number, length: number): number {
  return answer(readCall(fd, into, length));
}

export function close(fd: number): void {
  closeCall(fd);
}

/** Fills the 256 bytes at `into`. */
export function statx(
  folder: number,
  path: number,
  options: { readonly flags: number; readonly mask: number; readonly into: number },
): number {
  return answer(statxCall(statxNumber, folder, path, options.flags, options.mask, options.into));
}

/** Fills a struct stat at `into`, of the size of this machine. */
export function fstat(fd: number, into: number): number {
  return answer(fstatCall(fstatNumber, fd, into, 0, 0));
}

export function fchownat(
  folder: number,
  path: number,
  owner: { readonly uid: number; readonly gid: number; readonly flags: number },
): number {
  return answer(fchownatCall(folder, path, owner.uid, owner.gid, owner.flags));
}

export function mknodat(folder: number, path: number, mode: number): number {
  return answer(mknodatCall(folder, path, mode, 0));
}

export function mkdirat(folder: number, path: number, mode: number): number {
  return answer(mkdiratCall(folder, path, mode));
}

export function symlinkat(target: number, folder: number, path: number): number {
  return answer(symlinkatCall(target, folder, path));
}

/** A piece of memory. */
export interface Span {
  readonly address: number;
  readonly length: number;
}

export function getxattr(path: number, name: number, into: Span): number {
  return answer(getxattrCall(path, name, into.address, into.length));
}

export function setxattr(path: number, name: number, value: Span): number {
  return answer(setxattrCall(path, name, value.address, value.length, 0));
}

export function removexattr(path: number, name: number): number {
  return answer(removexattrCall(path, name));
}

/** `entries` is the address of `count` structs pollfd. */
export function poll(entries: number, count: number, timeoutMs: number): number {
  return answer(pollCall(entries, count, timeoutMs));
}

/** A descriptor that becomes readable when another thread writes eight bytes to it. */
export function eventfd(): number {
  return answer(eventfdCall(0, 0o2004000));
}

const CLONE_FS = 0x200;

/** Gives this thread a umask and a working directory of its own, and a umask of 0. */
export function separateUmask(): number {
  const result = answer(unshareCall(CLONE_FS));
  umaskCall(0);
  return result;
}
