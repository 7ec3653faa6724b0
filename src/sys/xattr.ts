import { nameOf } from '../core/bytes.ts';
import { check, cString, declare, lastError } from './libc.ts';

const listCall = declare('llistxattr', 'intptr_t', ['void *', 'void *', 'size_t']);
const getCall = declare('lgetxattr', 'intptr_t', ['void *', 'void *', 'void *', 'size_t']);
const setCall = declare('lsetxattr', 'int', ['void *', 'void *', 'void *', 'size_t', 'int']);
const removeCall = declare('lremovexattr', 'int', ['void *', 'void *']);

/** XATTR_SIZE_MAX and XATTR_LIST_MAX of Linux. */
const largest = 65_536;
let reused: Buffer | undefined;

/** Names of the extended attributes, in the file system's order. Never follows a link; see llistxattr(2). */
export function llistxattr(path: string | Buffer): string[] {
  const buffer = scratch();
  const size = listCall(cString(path), buffer, buffer.length);
  if (size === 0) return [];
  if (size < 0 && lastError() === 'ENOTSUP') return [];
  check(size, 'llistxattr', path);
  return nameOf(buffer.subarray(0, size - 1)).split('\0');
}

/** The attribute's bytes; ENODATA when it has none of that name. Never follows a link. */
export function lgetxattr(path: string | Buffer, name: string): Buffer {
  const buffer = scratch();
  const size = check(getCall(cString(path), cString(name), buffer, buffer.length), 'lgetxattr', path);
  return Buffer.from(buffer.subarray(0, size));
}

/** Sets an attribute to exactly these bytes. Never follows a link. */
export function lsetxattr(path: string | Buffer, name: string, value: Buffer): void {
  check(setCall(cString(path), cString(name), value, value.length, 0), 'lsetxattr', path);
}

export function lremovexattr(path: string | Buffer, name: string): void {
  check(removeCall(cString(path), cString(name)), 'lremovexattr', path);
}

function scratch(): Buffer {
  reused ??= Buffer.alloc(largest);
  return reused;
}
