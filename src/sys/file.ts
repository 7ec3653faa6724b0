import { check, cString, declare, lastError } from './libc.ts';

const flockCall = declare('flock', 'int', ['int', 'int']);
const mknodatCall = declare('mknodat', 'int', ['int', 'void *', 'uint32_t', 'uint64_t']);
const lseekCall = declare('lseek', 'int64_t', ['int', 'int64_t', 'int']);
const memfdCreateCall = declare('memfd_create', 'int', ['void *', 'uint32_t']);
const utimensatCall = declare('utimensat', 'int', ['int', 'void *', 'void *', 'int']);

const atFdcwd = -100;
const atSymlinkNofollow = 0x100;
const seekData = 3;
const seekHole = 4;
const types = { fifo: 0o010000, char: 0o020000, block: 0o060000, socket: 0o140000 } as const;

/**
 * flock(2) on an open file. `nonblocking` returns false where another holds it; without, the calling thread waits.
 * The lock ends with the last descriptor of this opening.
 */
export function flock(
  fd: number,
  operation: 'shared' | 'exclusive' | 'unlock',
  nonblocking = false,
): boolean {
  const bits = { shared: 1, exclusive: 2, unlock: 8 }[operation] | (nonblocking ? 4 : 0);
  for (;;) {
    const result = flockCall(fd, bits);
    if (result === 0) return true;
    const code = lastError();
    if (code === 'EINTR') continue;
    if (code === 'EAGAIN' && nonblocking) return false;
    check(result, 'flock');
  }
}

/**
 * A file in memory, which can be executed or not; the descriptor is closed by execve. Fails with EACCES where the machine wants
 * no such file to be executed (vm.memfd_noexec).
 */
export function memfdCreate(name: string, executable: boolean): number {
  const closeOnExec = 1;
  const how = executable ? 0x10 : 0x8;
  const fd = memfdCreateCall(cString(name), closeOnExec | how);
  // Before kernel 6.3 every one of them can be executed, and these flags are unknown.
  if (fd < 0 && lastError() === 'EINVAL')
    return check(memfdCreateCall(cString(name), closeOnExec), 'memfd_create');
  return check(fd, 'memfd_create');
}

/** Makes a fifo, a device node or a socket that nobody listens at; `mode` is the permission bits, cut by the umask. */
export function mknod(
  path: string | Buffer,
  type: keyof typeof types,
  options: { readonly mode: number; readonly device?: { readonly major: number; readonly minor: number } },
): void {
  const device = makedev(options.device?.major ?? 0, options.device?.minor ?? 0);
  check(mknodatCall(atFdcwd, cString(path), types[type] | options.mode, device), 'mknod', path);
}

/** The number of a device as the C library packs it: makedev(3). */
export function makedev(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (
    ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
  );
}

/** The reverse of `makedev`, for `rdev` of a stat. */
export function majorMinor(rdev: number): { major: number; minor: number } {
  const device = BigInt(rdev);
  return {
    major: Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn)),
    minor: Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn)),
  };
}

/** Sets both times to `seconds` (may be negative) and `nanoseconds`, exactly; never follows a link. */
export function utimensat(path: string | Buffer, seconds: number, nanoseconds: number): void {
  const times = Buffer.alloc(32);
  for (const at of [0, 16]) {
    times.writeBigInt64LE(BigInt(seconds), at);
    times.writeBigInt64LE(BigInt(nanoseconds), at + 8);
  }
  check(utimensatCall(atFdcwd, cString(path), times, atSymlinkNofollow), 'utimensat', path);
}

/** The parts of an open file that are no holes, in order: `start` and `end` in bytes. Moves the file's position. */
export function* dataRanges(fd: number): Generator<{ readonly start: number; readonly end: number }> {
  for (let end = 0; ; ) {
    const start = Number(lseekCall(fd, end, seekData));
    if (start < 0 && lastError() === 'ENXIO') return;
    check(start, 'lseek');
    end = check(Number(lseekCall(fd, start, seekHole)), 'lseek');
    yield { start, end };
  }
}
