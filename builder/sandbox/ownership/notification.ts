import { type Arena, arena } from '../../../src/sys/arena.ts';
import { addDescriptor, isWaiting, receiveNotification, sendResponse } from '../../../src/sys/notify.ts';
import { callName, isNative } from './calls.ts';

/** What becomes of a call: its value, a negative errno, the kernel does it after all, or it was answered already. */
export type Answer = number | 'continue' | 'sent';

/** Where things lie in the memory that the system calls of a supervisor work on. */
export const at = {
  notification: 0,
  response: 128,
  descriptor: 160,
  how: 192,
  vectors: 224,
  poll: 256,
  statx: 1024,
  stat: 1280,
  attribute: 1536,
  value: 1600,
  procPath: 1720,
  empty: 1800,
  name: 2048,
  text: 4096,
  more: 8448,
  end: 16_384,
} as const;

export function makeArena(): Arena {
  return arena(at.end);
}

const SIZE = 80;
const CONTINUE = 1;
const SEND = 2;

/** A call of a supervised process that waits for its answer. There is one at a time. */
export class Notification {
  readonly #arena: Arena;
  #listener = -1;

  constructor(of: Arena) {
    this.#arena = of;
  }

  /** Takes the next call; false where it is gone again. */
  receive(listener: number): boolean {
    this.#arena.bytes.fill(0, at.notification, at.notification + SIZE);
    this.#listener = listener;
    return receiveNotification(listener, this.#arena.address + at.notification) >= 0;
  }

  /** The thread that makes the call. */
  get pid(): number {
    return this.#arena.bytes.readUInt32LE(8);
  }

  get name(): string | undefined {
    return callName(this.#arena.bytes.readUInt32LE(20), this.#arena.bytes.readInt32LE(16));
  }

  get isNative(): boolean {
    return isNative(this.#arena.bytes.readUInt32LE(20));
  }

  /** An argument as an address. */
  word(index: number): bigint {
    return this.#arena.bytes.readBigUInt64LE(32 + 8 * index);
  }

  /** An argument as an unsigned number of 32 bits. */
  number(index: number): number {
    return this.#arena.bytes.readUInt32LE(32 + 8 * index);
  }

  /** An argument as a descriptor. */
  descriptor(index: number): number {
    return this.#arena.bytes.readInt32LE(32 + 8 * index);
  }

  /** Whether the process still waits: what was opened by its id is really its own. */
  isWaiting(): boolean {
    return isWaiting(this.#listener, this.#arena.address + at.notification);
  }

  /** A negative errno where the process is gone, or the kernel does not know such an answer. */
  answer(answer: Answer): number {
    if (answer === 'sent') return 0;
    const { bytes, address } = this.#arena;
    const value = answer === 'continue' ? 0 : answer;
    bytes.copy(bytes, at.response, 0, 8);
    bytes.writeBigInt64LE(BigInt(Math.max(value, 0)), at.response + 8);
    bytes.writeInt32LE(Math.min(value, 0), at.response + 16);
    bytes.writeUInt32LE(answer === 'continue' ? CONTINUE : 0, at.response + 20);
    return sendResponse(this.#listener, address + at.response);
  }

  /** Answers with a descriptor of ours, which the process gets a copy of. */
  answerDescriptor(fd: number, flags: number): Answer {
    const { bytes, address } = this.#arena;
    bytes.copy(bytes, at.descriptor, 0, 8);
    bytes.writeUInt32LE(SEND, at.descriptor + 8);
    bytes.writeUInt32LE(fd, at.descriptor + 12);
    bytes.writeUInt32LE(0, at.descriptor + 16);
    bytes.writeUInt32LE(flags, at.descriptor + 20);
    const result = addDescriptor(this.#listener, address + at.descriptor);
    return result < 0 ? result : 'sent';
  }
}
