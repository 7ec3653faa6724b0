import { closeSync } from 'node:fs';
import { check, declare } from './libc.ts';

/** By number, which is the same on every architecture: C libraries learned the names late. */
const openCall = declare('syscall', 'long', ['long', 'int', 'uint32_t']);
const getfdCall = declare('syscall', 'long', ['long', 'int', 'int', 'uint32_t']);
const pidfdOpenNumber = 434;
const pidfdGetfdNumber = 438;

/** A descriptor of our own for what another process has open, as pidfd_getfd(2): it takes the right to trace it. */
export function takeDescriptor(pid: number, descriptor: number): number {
  const process = check(openCall(pidfdOpenNumber, pid, 0), 'pidfd_open');
  try {
    return check(getfdCall(pidfdGetfdNumber, process, descriptor, 0), 'pidfd_getfd');
  } finally {
    closeSync(process);
  }
}
