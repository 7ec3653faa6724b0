import { check, declare } from './libc.ts';

const getCall = declare('tcgetattr', 'int', ['int', 'void *']);
const setCall = declare('tcsetattr', 'int', ['int', 'int', 'void *']);
const rawCall = declare('cfmakeraw', 'void', ['void *']);

/** More than the structure has on any architecture. */
const size = 128;
const now = 0;

/**
 * Makes a terminal pass every byte in both directions as it is, as cfmakeraw(3); gives its attributes as they were, for
 * `tcsetattr`. Node's own raw mode still turns the ends of lines into two bytes.
 */
export function makeRaw(fd: number): Buffer {
  const before = Buffer.alloc(size);
  check(getCall(fd, before), 'tcgetattr');
  const raw = Buffer.from(before);
  rawCall(raw);
  tcsetattr(fd, raw);
  return before;
}

/** Gives a terminal these attributes at once. */
export function tcsetattr(fd: number, attributes: Buffer): void {
  check(setCall(fd, now, attributes), 'tcsetattr');
}
