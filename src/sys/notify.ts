import { answer, declare } from './libc.ts';

/** seccomp_unotify(2): the side that answers. Structures lie at addresses (arena.ts); failures are negative errnos. */
const ioctlCall = declare('ioctl', 'int', ['int', 'unsigned long', 'uintptr_t']);

/** Fills the 80 bytes of a struct seccomp_notif, which must be zero before. */
export function receiveNotification(listener: number, into: number): number {
  return answer(ioctlCall(listener, 0xc0502100, into));
}

/** Sends a struct seccomp_notif_resp of 24 bytes. */
export function sendResponse(listener: number, response: number): number {
  return answer(ioctlCall(listener, 0xc0182101, response));
}

/** Whether the notification whose id lies at `id` still waits: its process is the one that was asked about. */
export function isWaiting(listener: number, id: number): boolean {
  return ioctlCall(listener, 0x40082102, id) === 0;
}

/** Puts a descriptor into the process: a struct seccomp_notif_addfd of 24 bytes. */
export function addDescriptor(listener: number, request: number): number {
  return answer(ioctlCall(listener, 0x40182103, request));
}

/** Answers are handed over without a detour through another processor (6.6 and later; no matter where not). */
export function wakeAtOnce(listener: number): void {
  ioctlCall(listener, 0x40082104, 1);
}
